import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { newRoomNumber, parseRoom } from '../router.ts';
import { Brand } from './brand.tsx';
import { BrowserIcon, PhoneIcon } from './icons.tsx';

function enter(room: string): void {
  // The name may have come with the link to this page.
  location.assign(`/room/${room}${location.search}`);
}

export function Landing(): VNode {
  return (
    <div class="landing">
      <header class="landing-header">
        <Brand />
      </header>
      <main class="landing-main">
        <section class="pitch">
          <h1>
            One room for
            <br />
            phones <em>and</em> browsers.
          </h1>
          <p class="lead">
            Open a link or dial a number. Everybody hears everybody, with nothing to install.
          </p>
          <EnterForm />
        </section>
        <Picture />
      </main>
      <footer class="landing-footer quiet">
        From a SIP phone, dial <code>sip:number@{location.hostname}</code>
      </footer>
    </div>
  );
}

function EnterForm(): VNode {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');

  return (
    <form
      class="enter"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const room = parseRoom(text);
        if (room === undefined) setProblem('A room is digits, or a name of letters, digits and -.');
        else enter(room);
      }}
    >
      <button
        type="button"
        class="button primary large"
        data-testid="new-room"
        onClick={() => enter(newRoomNumber())}
      >
        Start a meeting
      </button>
      <span class="or">or</span>
      <div class="joined-field">
        <label class="visually-hidden" for="room">
          Room number or name
        </label>
        <input
          id="room"
          data-testid="room-input"
          value={text}
          placeholder="Room number or name"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          maxLength={64}
          aria-invalid={problem !== ''}
          aria-describedby="room-problem"
          onInput={(event) => {
            setText(event.currentTarget.value);
            setProblem('');
          }}
        />
        <button type="submit" class="button" data-testid="enter-room" disabled={text.trim() === ''}>
          Enter
        </button>
      </div>
      <p id="room-problem" class="problem" role="alert">
        {problem}
      </p>
    </form>
  );
}

/** What a meeting looks like, drawn. */
function Picture(): VNode {
  return (
    <div class="picture" aria-hidden="true">
      <div class="sample speaking hue-a">
        <span class="avatar">AL</span>
        <span class="sample-name">
          <BrowserIcon /> Ada
        </span>
      </div>
      <div class="sample hue-b">
        <span class="avatar">GH</span>
        <span class="sample-name">
          <BrowserIcon /> Grace
        </span>
      </div>
      <div class="sample hue-c wide">
        <span class="avatar">
          <PhoneIcon />
        </span>
        <span class="wave">
          <i />
          <i />
          <i />
          <i />
          <i />
          <i />
          <i />
        </span>
        <span class="sample-name">
          <PhoneIcon /> +44 20 7946 0018
        </span>
      </div>
    </div>
  );
}
