import { Pause, Play } from 'lucide-react';
import { useRef, useState } from 'react';
import { useTexts } from '../words/texts.ts';
import { voiceTexts } from '../words/voice.ts';
import { number } from './time.ts';

const SPEEDS = [1, 1.5, 2] as const;

/** One recording sounds at a time, on the whole page. */
let sounding: HTMLAudioElement | undefined;

const clock = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

/**
 * Plays a recording: play and pause, a place to go to, three speeds. Nothing is fetched before it
 * plays; until then its length is what the message says, in seconds.
 */
export function VoicePlayer(props: { source: string; name: string; seconds: number | null; onFail: () => void }) {
  const { source, name, seconds, onFail } = props;
  const texts = useTexts(voiceTexts);
  const audio = useRef<HTMLAudioElement>(null);
  const [isPlaying, setIsPlaying] = useState(false);
  const [now, setNow] = useState(0);
  const [measured, setMeasured] = useState<number>();
  const [speed, setSpeed] = useState<number>(1);
  const all = measured ?? seconds ?? 0;
  const turn = () => {
    const one = audio.current;
    if (!one) return;
    if (!one.paused) return one.pause();
    if (sounding !== one) sounding?.pause();
    sounding = one;
    one.playbackRate = speed;
    // A pause before it began is no failure; a file that is gone comes to onError.
    one.play().catch(() => setIsPlaying(false));
  };
  const nextSpeed = () => {
    const next = SPEEDS.find((one) => one > speed) ?? SPEEDS[0];
    setSpeed(next);
    if (audio.current) audio.current.playbackRate = next;
  };
  const Icon = isPlaying ? Pause : Play;
  return (
    <div className="my-1 flex w-72 max-w-full items-center gap-2">
      {/* biome-ignore lint/a11y/useMediaCaption: what people send has no captions */}
      <audio
        ref={audio}
        preload="none"
        src={source}
        onPlay={() => setIsPlaying(true)}
        onPause={() => setIsPlaying(false)}
        onEnded={() => setNow(0)}
        onTimeUpdate={(event) => setNow(event.currentTarget.currentTime)}
        onDurationChange={({ currentTarget: { duration } }) =>
          setMeasured(Number.isFinite(duration) ? duration : undefined)
        }
        onError={onFail}
      />
      <button
        type="button"
        aria-label={isPlaying ? texts.pause(name) : texts.play(name)}
        onClick={turn}
        className="inline-flex size-9 shrink-0 items-center justify-center rounded-full bg-accent text-on-accent hover:bg-accent-strong"
      >
        <Icon aria-hidden className="size-4" />
      </button>
      <input
        type="range"
        aria-label={texts.place}
        aria-valuetext={texts.at(clock(now), clock(all))}
        min={0}
        max={Math.max(all, now, 0.1)}
        step={0.1}
        value={now}
        onChange={(event) => {
          const to = Number(event.target.value);
          setNow(to);
          if (audio.current) audio.current.currentTime = to;
        }}
        className="min-w-0 flex-1 accent-accent"
      />
      <span className="w-9 shrink-0 text-right text-xs tabular-nums">{clock(isPlaying || now > 0 ? now : all)}</span>
      <button
        type="button"
        aria-label={texts.speed(number(speed))}
        onClick={nextSpeed}
        className="w-9 shrink-0 rounded-full border border-field px-1 text-xs"
      >
        {number(speed)}×
      </button>
    </div>
  );
}
