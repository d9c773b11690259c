import { useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { Alert, Panel } from '../../parts/layout.tsx';
import { problemTexts } from '../../words/problems.ts';
import { useTexts } from '../../words/texts.ts';
import { mayNotify, notifications } from '../shell/watch.tsx';

/** Notifications of the browser: off until the user turns them on. */
export function NotificationSettings() {
  const texts = useTexts(problemTexts);
  const isOn = notifications.use() === 'on' && mayNotify();
  const [isRefused, setIsRefused] = useState(false);
  if (typeof Notification !== 'function') return null;
  const turn = async () => {
    if (isOn) return notifications.set('off');
    const answer = await Notification.requestPermission();
    setIsRefused(answer !== 'granted');
    if (answer === 'granted') notifications.set('on');
  };
  return (
    <Panel title={texts.notifications}>
      <p className="mb-4 text-muted">{texts.notificationsHelp}</p>
      <Button aria-pressed={isOn} onClick={() => void turn()}>
        {isOn ? texts.turnOff : texts.turnOn}
      </Button>
      {isRefused ? <Alert>{texts.refused}</Alert> : null}
    </Panel>
  );
}
