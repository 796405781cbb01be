import type { VNode } from 'preact';
import type { DeviceChoice, DeviceKind, LocalMediaState } from '../devices.ts';
import { CameraIcon, MicIcon, SpeakerIcon } from './icons.tsx';

export interface DeviceSelectsProps {
  state: LocalMediaState;
  onDevice: (kind: DeviceKind, id: string) => void;
  onSpeaker: (id: string) => void;
}

export function DeviceSelects({ state, onDevice, onSpeaker }: DeviceSelectsProps): VNode {
  const { lists } = state;

  return (
    <div class="device-selects">
      <Select
        label="Microphone"
        icon={<MicIcon />}
        choices={lists.microphones}
        value={state.microphone?.getSettings().deviceId}
        onChange={(id) => onDevice('microphone', id)}
      />
      <Select
        label="Camera"
        icon={<CameraIcon />}
        choices={lists.cameras}
        value={state.camera?.getSettings().deviceId}
        onChange={(id) => onDevice('camera', id)}
      />
      {'setSinkId' in HTMLMediaElement.prototype && (
        <Select
          label="Speaker"
          icon={<SpeakerIcon />}
          choices={lists.speakers}
          value={state.speakerId === '' ? undefined : state.speakerId}
          onChange={onSpeaker}
        />
      )}
    </div>
  );
}

interface SelectProps {
  label: string;
  icon: VNode;
  choices: DeviceChoice[];
  value: string | undefined;
  onChange: (id: string) => void;
}

function Select({ label, icon, choices, value, onChange }: SelectProps): VNode {
  return (
    <label class="select">
      <span class="select-icon">{icon}</span>
      <span class="visually-hidden">{label}</span>
      <select
        value={value ?? ''}
        disabled={choices.length === 0}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        {value === undefined && (
          <option value="" disabled={choices.length > 0 && label !== 'Speaker'}>
            {choices.length === 0 ? `No ${label.toLowerCase()}` : `${label}: default`}
          </option>
        )}
        {choices.map((choice) => (
          <option key={choice.id} value={choice.id}>
            {choice.label}
          </option>
        ))}
      </select>
    </label>
  );
}
