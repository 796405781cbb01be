import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { LocalMedia, LocalMediaState } from '../devices.ts';
import { initials } from '../members.ts';
import { recall, remember } from '../storage.ts';
import { useSource } from '../use-source.ts';
import { Brand } from './brand.tsx';
import { DeviceSelects } from './device-selects.tsx';
import { CameraIcon, MicIcon } from './icons.tsx';
import { LevelMeter } from './level-meter.tsx';
import { Video } from './video.tsx';

export interface PreviewProps {
  room: string;
  media: LocalMedia;
  onJoin: (name: string, pin: string) => void;
}

const NAME_KEY = 'parley.name';

function firstName(): string {
  return new URLSearchParams(location.search).get('name') ?? recall(NAME_KEY) ?? '';
}

/** How one will look and sound, before anybody sees or hears it. */
export function Preview({ room, media, onJoin }: PreviewProps): VNode {
  const state = useSource(media);
  const [name, setName] = useState(firstName);
  const [pin, setPin] = useState('');
  useEffect(() => void media.open(), [media]);

  return (
    <div class="preview">
      <header class="landing-header">
        <Brand />
      </header>
      <main class="preview-main">
        <Mirror media={media} state={state} name={name} />
        <form
          class="preview-form"
          onSubmit={(event) => {
            event.preventDefault();
            const clean = name.trim();
            if (clean === '') return;
            remember(NAME_KEY, clean);
            onJoin(clean, pin.trim());
          }}
        >
          <p class="quiet">You are about to enter</p>
          <h1>Room {room}</h1>
          <label class="field">
            <span>Your name</span>
            <input
              data-testid="name-input"
              value={name}
              required
              maxLength={64}
              autocomplete="name"
              placeholder="How others will see you"
              autoFocus
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </label>
          <DeviceSelects
            state={state}
            onDevice={(kind, id) => void media.start(kind, id)}
            onSpeaker={(id) => media.chooseSpeaker(id)}
          />
          <PinField pin={pin} onPin={setPin} />
          <Problems state={state} />
          <button
            type="submit"
            class="button primary large"
            data-testid="join"
            disabled={name.trim() === ''}
          >
            Join now
          </button>
        </form>
      </main>
    </div>
  );
}

function PinField({ pin, onPin }: { pin: string; onPin: (pin: string) => void }): VNode {
  return (
    <details class="more">
      <summary>This room asks me for a PIN</summary>
      <label class="field">
        <span>PIN</span>
        <input
          data-testid="pin-input"
          value={pin}
          inputMode="numeric"
          pattern="[0-9]*"
          maxLength={16}
          autocomplete="off"
          onInput={(event) => onPin(event.currentTarget.value)}
        />
      </label>
    </details>
  );
}

function Mirror(props: { media: LocalMedia; state: LocalMediaState; name: string }): VNode {
  const { media, state, name } = props;
  const { microphone, camera } = state;

  return (
    <section class="mirror" aria-label="Your picture and sound">
      <div class="mirror-picture">
        {camera !== undefined ? (
          <Video track={camera} mirrored />
        ) : (
          <div class="mirror-empty">
            <span class="avatar large">{initials(name) || <CameraIcon off />}</span>
            <span class="quiet">
              {state.opening ? 'Starting your camera …' : 'Your camera is off'}
            </span>
          </div>
        )}
        {microphone !== undefined && <LevelMeter track={microphone} />}
        <div class="mirror-controls">
          <button
            type="button"
            class={`round ${microphone === undefined ? 'off' : ''}`}
            data-testid="toggle-mic"
            aria-pressed={microphone !== undefined}
            aria-label="Microphone"
            onClick={() =>
              microphone === undefined ? void media.start('microphone') : media.stop('microphone')
            }
          >
            <MicIcon off={microphone === undefined} />
          </button>
          <button
            type="button"
            class={`round ${camera === undefined ? 'off' : ''}`}
            data-testid="toggle-camera"
            aria-pressed={camera !== undefined}
            aria-label="Camera"
            onClick={() =>
              camera === undefined ? void media.start('camera') : media.stop('camera')
            }
          >
            <CameraIcon off={camera === undefined} />
          </button>
        </div>
      </div>
    </section>
  );
}

function Problems({ state }: { state: LocalMediaState }): VNode {
  const { microphoneProblem, cameraProblem } = state;
  const comfort =
    microphoneProblem === undefined
      ? undefined
      : 'You can join all the same: you will hear everybody, and nobody will hear you.';
  const text = [microphoneProblem, cameraProblem, comfort].filter((part) => part !== undefined);

  return (
    <p class="problems" role="status">
      {text.join(' ')}
    </p>
  );
}
