import { Toast } from '@base-ui/react/toast';
import { notices, type Tone } from './notices.ts';

const SHOWN_MS = 6_000;
const AT_ONCE = 3;
const COLOURS: Record<Tone, string> = {
  good: 'border-accent bg-soft text-accent',
  bad: 'border-danger bg-danger-soft text-danger',
};

/** A sentence that needs no answer is a status, not the dialog that a toast may be. */
const STATUS = { role: 'status', 'aria-modal': undefined } as const;

function Shown() {
  const { toasts } = Toast.useToastManager<{ tone: Tone }>();
  return toasts.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      {...STATUS}
      className={`pointer-events-auto max-w-lg rounded-lg border px-4 py-2 shadow-lg data-limited:hidden ${COLOURS[toast.data?.tone ?? 'good']}`}
    >
      <Toast.Description />
    </Toast.Root>
  ));
}

/** Notices of the last seconds: they can be swiped away, and stay while the pointer is on them. */
export function Toasts() {
  return (
    <Toast.Provider toastManager={notices} timeout={SHOWN_MS} limit={AT_ONCE}>
      <Toast.Portal>
        <Toast.Viewport className="pointer-events-none fixed inset-x-3 bottom-20 z-40 flex flex-col-reverse items-center gap-2 md:bottom-6">
          <Shown />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}
