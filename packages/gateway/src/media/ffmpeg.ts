import { spawn } from 'node:child_process';
import type { Clock } from '../core/clock.ts';
import { createPlaces } from '../core/places.ts';

/** Runs at once: each takes a core. */
const RUNS_MAX = 2;
const RUN_MS = 120_000;
const FOUND_WITHIN_MS = 5_000;
/** Beyond this a file is an attack on the disk. */
const OUTPUT_MAX_BYTES = 256 * 1024 * 1024;
const ERROR_MAX_CHARACTERS = 2_000;
/**
 * Containers that are read. None that names other files (playlists), whatever their bytes say they
 * are.
 */
const FORMATS =
  'mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mp3,ogg,wav,w64,flac,aac,amr,amrnb,amrwb,gif,asf,mpegts,mpeg,mpegvideo,flv,caf,aiff,au';

/**
 * A run that failed; `timeout` when it took too long. What the program says of a file is for the
 * log, never for a caller.
 */
export class FfmpegError extends Error {
  override readonly name = 'FfmpegError';
  readonly reason: 'failed' | 'timeout';

  constructor(reason: 'failed' | 'timeout', message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface Ffmpeg {
  /** True when the programs are on this machine. Looked up once. */
  isThere(): Promise<boolean>;
  /**
   * Runs `ffmpeg` over one input file. `output` are the arguments behind the input; what it writes
   * to standard output goes to `take`. Rejects with FfmpegError.
   */
  run(input: string, output: string[], take?: (piece: Uint8Array) => void): Promise<void>;
  /**
   * Duration and size of the first picture stream, as far as `ffprobe` can tell. Rejects with
   * FfmpegError.
   */
  probe(input: string): Promise<{ durationSeconds?: number; width?: number; height?: number }>;
}

/**
 * The system's ffmpeg over files that strangers chose: it may open files and nothing else, only
 * containers that name no other files, with a time limit and a limited output, two runs at a time.
 * `searchPath` is where programs are looked for, as in PATH.
 */
export function createFfmpeg(clock: Clock, searchPath: string): Ffmpeg {
  const places = createPlaces(RUNS_MAX);
  let found: Promise<boolean> | undefined;
  const look = async () => {
    const runs = ['ffmpeg', 'ffprobe'].map((program) =>
      execute({ clock, searchPath }, program, ['-hide_banner', '-version'], FOUND_WITHIN_MS).then(
        () => true,
        () => false,
      ),
    );
    return (await Promise.all(runs)).every((isThere) => isThere);
  };
  const guarded = ['-protocol_whitelist', 'file,pipe', '-format_whitelist', FORMATS];
  return {
    isThere() {
      found ??= look();
      return found;
    },
    run: (input, output, take) =>
      places.run(() => {
        const args = ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y', ...guarded, '-i', `file:${input}`];
        return execute(
          { clock, searchPath },
          'ffmpeg',
          [...args, '-fs', String(OUTPUT_MAX_BYTES), ...output],
          RUN_MS,
          take,
        );
      }),
    probe: (input) =>
      places.run(async () => {
        let text = '';
        const wanted = ['-show_entries', 'format=duration:stream=codec_type,width,height,duration', '-of', 'json'];
        const args = ['-hide_banner', '-loglevel', 'error', ...guarded, ...wanted, `file:${input}`];
        await execute({ clock, searchPath }, 'ffprobe', args, RUN_MS, (piece) => {
          if (text.length < 1_000_000) text += Buffer.from(piece).toString('utf8');
        });
        return readProbe(text);
      }),
  };
}

function readProbe(text: string): { durationSeconds?: number; width?: number; height?: number } {
  const told = JSON.parse(text) as {
    format?: { duration?: string };
    streams?: { codec_type?: string; width?: number; height?: number; duration?: string }[];
  };
  const picture = told.streams?.find((stream) => stream.codec_type === 'video');
  const seconds = Number(told.format?.duration ?? picture?.duration);
  return {
    ...(seconds > 0 ? { durationSeconds: Math.max(1, Math.round(seconds)) } : {}),
    ...(picture?.width && picture.height ? { width: picture.width, height: picture.height } : {}),
  };
}

function execute(
  { clock, searchPath }: { clock: Clock; searchPath: string },
  program: string,
  args: string[],
  withinMs: number,
  take: (piece: Uint8Array) => void = () => {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { PATH: searchPath },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    let isLate = false;
    const cancel = clock.after(withinMs, () => {
      isLate = true;
      child.kill('SIGKILL');
    });
    child.stdout.on('data', take);
    child.stderr.on('data', (piece: Buffer) => {
      if (said.length < ERROR_MAX_CHARACTERS) said += piece.toString('utf8');
    });
    child.once('error', (error) => {
      cancel();
      reject(new FfmpegError('failed', error.message));
    });
    child.once('close', (code) => {
      cancel();
      if (isLate) reject(new FfmpegError('timeout', `${program} took longer than ${withinMs} ms`));
      else if (code === 0) resolve();
      else reject(new FfmpegError('failed', said.slice(0, ERROR_MAX_CHARACTERS) || `${program} ended with ${code}`));
    });
  });
}
