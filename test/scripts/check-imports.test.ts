import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { findViolations, resolveImport } from '../../scripts/import-rules.ts';
import type { Import } from '../../scripts/import-rules.ts';
import { importsOf } from '../../scripts/read-sources.ts';

type Files = Record<string, readonly string[]>;

/** The files that the cases import; none imports anything itself. */
const TREE: Files = Object.fromEntries(
  [
    'base/index.ts',
    'media/codecs.ts',
    'media/index.ts',
    'media/rtp/index.ts',
    'server/index.ts',
    'signaling/sdp/index.ts',
    'signaling/sip/dialog/index.ts',
    'signaling/sip/gateway.ts',
    'signaling/sip/index.ts',
    'signaling/sip/message/index.ts',
    'signaling/sip/reason-map.ts',
    'signaling/sip/transaction/index.ts',
    'signaling/sip/transport/index.ts',
    'signaling/sip/ua/index.ts',
    'signaling/websocket/index.ts',
  ].map((file) => [file, []]),
);

/** `type x` stands for `import type … from 'x'`. */
function messages(files: Files): string[] {
  const entries = Object.entries({ ...TREE, ...files }).map(([file, specifiers]) => {
    const imports = specifiers.map((text): Import => {
      const typeOnly = text.startsWith('type ');
      return { specifier: typeOnly ? text.slice(5) : text, typeOnly };
    });
    return [file, imports] as const;
  });
  return findViolations(new Map(entries)).map(({ file, message }) => `${file} ${message}`);
}

describe('imports that the layers allow', () => {
  it.each<[string, string]>([
    ['media/room-media.ts', '../base/index.ts'],
    ['media/leg/rtp-leg.ts', '../rtp/index.ts'],
    ['server/room.ts', '../media/index.ts'],
    ['signaling/sdp/offer-answer.ts', '../../media/index.ts'],
    ['signaling/websocket/gateway.ts', '../../server/index.ts'],
    ['signaling/sip/transport/udp-transport.ts', '../message/index.ts'],
    ['signaling/sip/ua/user-agent.ts', '../dialog/index.ts'],
    ['signaling/sip/dialog/invite-session.ts', '../../sdp/index.ts'],
    ['signaling/sip/gateway.ts', '../../server/index.ts'],
    ['signaling/sip/gateway.ts', 'type ../../media/index.ts'],
    ['signaling/sip/reason-map.ts', '../../server/index.ts'],
    ['signaling/sip/gateway.ts', './reason-map.ts'],
    ['signaling/sip/sip-front-end.ts', './gateway.ts'],
    ['signaling/sdp/audio-negotiation.ts', '../../media/codecs.ts'],
    ['server/main.ts', '../signaling/sip/index.ts'],
    ['test/support/sip-wire.ts', '../../signaling/sip/index.ts'],
    ['base/logger.ts', 'pino'],
    ['signaling/sdp/sdp-session.ts', 'sdp-transform'],
    ['server/metrics.ts', 'prom-client'],
    ['server/store/redis-store.ts', 'ioredis'],
    ['signaling/websocket/gateway.ts', 'socket.io'],
    ['web/session.ts', 'socket.io-client'],
  ])('%s may import %s', (file, specifier) => {
    expect(messages({ [file]: [specifier] })).toEqual([]);
  });

  it('the web app may import types of the socket protocol', () => {
    const files = {
      'signaling/websocket/protocol.ts': [],
      'web/session.ts': ['type ../signaling/websocket/protocol.ts'],
    };
    expect(messages(files)).toEqual([]);
  });

  it('a test may look behind an index.ts', () => {
    const files = {
      'media/rtp/rtp-packet.ts': [],
      'test/media/rtp/rtp-packet.test.ts': ['../../../media/rtp/rtp-packet.ts'],
    };
    expect(messages(files)).toEqual([]);
  });
});

describe('imports that go against the layers', () => {
  it.each<[string, string]>([
    ['base/clock.ts', '../media/index.ts'],
    ['media/room-media.ts', '../server/index.ts'],
    ['media/room-media.ts', '../signaling/sdp/index.ts'],
    ['server/room.ts', '../signaling/sip/index.ts'],
    ['signaling/sdp/offer-answer.ts', '../sip/index.ts'],
    ['signaling/websocket/gateway.ts', '../../media/index.ts'],
    ['signaling/websocket/gateway.ts', '../sip/index.ts'],
    ['signaling/sip/message/parser.ts', '../transport/index.ts'],
    ['signaling/sip/transport/udp-transport.ts', '../transaction/index.ts'],
    ['signaling/sip/transaction/timers.ts', '../dialog/index.ts'],
    ['signaling/sip/transaction/timers.ts', '../../sdp/index.ts'],
    ['signaling/sip/dialog/dialog.ts', '../ua/index.ts'],
    ['signaling/sip/ua/user-agent.ts', '../gateway.ts'],
    ['signaling/sip/sip-front-end.ts', '../../server/index.ts'],
    ['signaling/sip/ua/user-agent.ts', '../../../server/index.ts'],
    ['web/session.ts', '../base/index.ts'],
    ['web/session.ts', 'type ../server/index.ts'],
  ])('%s may not import %s', (file, specifier) => {
    const [message] = messages({ [file]: [specifier] });
    expect(message).toMatch(/not allowed by the layers$/);
  });

  it('only types of media reach the SIP front end', () => {
    const [message] = messages({ 'signaling/sip/gateway.ts': ['../../media/index.ts'] });
    expect(message).toMatch(/only types/);
  });

  it('only types of the socket protocol reach the web app', () => {
    const [message] = messages({
      'signaling/websocket/protocol.ts': [],
      'web/session.ts': ['../signaling/websocket/protocol.ts'],
    });
    expect(message).toMatch(/only types/);
  });

  it('nobody imports the composition root, not even a test', () => {
    const files = { 'server/main.ts': [], 'test/x.test.ts': ['../server/main.ts'] };
    expect(messages(files)).toEqual([expect.stringMatching(/composition root/)]);
  });

  it('a file outside every layer is named', () => {
    expect(messages({ 'other/x.ts': ['../base/index.ts'] })).toHaveLength(1);
  });

  it('an import of a file that is not there is named', () => {
    expect(messages({ 'base/x.ts': ['./gone.ts'] })).toEqual([
      'base/x.ts imports base/gone.ts, which does not exist',
    ]);
  });
});

describe('packages that only one place may know', () => {
  it.each<[string, string]>([
    ['server/api/app.ts', 'prom-client'],
    ['server/room.ts', 'socket.io'],
    ['media/room-media.ts', 'socket.io'],
    ['signaling/sip/gateway.ts', 'sdp-transform'],
    ['server/room.ts', 'ioredis'],
    ['signaling/websocket/gateway.ts', 'bull'],
    ['server/room.ts', 'ioredis/built/Pipeline'],
  ])('%s may not import %s', (file, name) => {
    expect(messages({ [file]: [name] })).toEqual([expect.stringMatching(/imports the package/)]);
  });
});

describe('folders are entered through their index.ts', () => {
  it.each<[string, string, string]>([
    ['server/room.ts', '../media/rtp/rtp-packet.ts', 'media/index.ts'],
    ['server/room.ts', '../media/codecs.ts', 'media/index.ts'],
    ['media/leg/rtp-leg.ts', '../rtp/rtp-packet.ts', 'media/rtp/index.ts'],
    ['server/main.ts', '../signaling/sip/gateway.ts', 'signaling/sip/index.ts'],
    ['bench/mix.ts', '../media/rtp/rtp-packet.ts', 'media/index.ts'],
  ])('%s may not import %s', (file, specifier, surface) => {
    const files = {
      'media/rtp/rtp-packet.ts': [],
      'signaling/sip/gateway.ts': [],
      [file]: [specifier],
    };
    expect(messages(files)).toEqual([expect.stringContaining(`past ${surface}`)]);
  });

  it('a folder without an index.ts cannot be entered', () => {
    const files = { 'media/sfu/a.ts': [], 'media/leg/b.ts': ['../sfu/a.ts'] };
    expect(messages(files)).toEqual([expect.stringMatching(/media\/sfu\/ has no index\.ts/)]);
  });
});

describe('cycles', () => {
  it('a ring of files is named in its order', () => {
    const files = { 'base/a.ts': ['./b.ts'], 'base/b.ts': ['./c.ts'], 'base/c.ts': ['./a.ts'] };
    expect(messages(files)).toEqual([
      'base/a.ts imports itself: base/a.ts → base/b.ts → base/c.ts → base/a.ts',
    ]);
  });

  it('a ring of types alone counts too', () => {
    const files = { 'base/a.ts': ['type ./b.ts'], 'base/b.ts': ['type ./a.ts'] };
    expect(messages(files)).toHaveLength(1);
  });

  it('two ways to one file are no ring', () => {
    const files = { 'base/a.ts': ['./b.ts', './c.ts'], 'base/b.ts': ['./c.ts'], 'base/c.ts': [] };
    expect(messages(files)).toEqual([]);
  });
});

describe('reading imports', () => {
  const read = (text: string): Import[] =>
    importsOf(ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest, true));

  it.each<[string, boolean]>([
    ["import { a } from './a.ts';", false],
    ["import './a.ts';", false],
    ["import type { A } from './a.ts';", true],
    ["import { type A } from './a.ts';", true],
    ["import { a, type A } from './a.ts';", false],
    ["export { a } from './a.ts';", false],
    ["export * from './a.ts';", false],
    ["export type { A } from './a.ts';", true],
    ["const a = await import('./a.ts');", false],
    ["let a: import('./a.ts').A;", true],
  ])('%s', (text, typeOnly) => {
    expect(read(text)).toEqual([{ specifier: './a.ts', typeOnly }]);
  });

  it('a relative path is resolved from the folder of its file', () => {
    expect(resolveImport('a/b/c.ts', '../d/./e.ts')).toBe('a/d/e.ts');
  });
});

describe('the program', () => {
  const run = (files: Record<string, string>) => {
    const root = mkdtempSync(join(tmpdir(), 'parley-imports-'));
    try {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), text);
      }
      const script = join(__dirname, '../../scripts/check-imports.ts');
      return spawnSync(process.execPath, [script, root], { encoding: 'utf8' });
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  };

  it('ends with 1 and names the file when a layer is broken', () => {
    const result = run({
      'base/index.ts': "import '../media/index.ts';\n",
      'media/index.ts': 'export {};\n',
    });
    expect(result.stderr).toContain('base/index.ts imports media/index.ts');
    expect(result.status).toBe(1);
  });

  it('ends with 0 when all is well', () => {
    const result = run({
      'base/index.ts': 'export {};\n',
      'media/index.ts': "import '../base/index.ts';\n",
    });
    expect(result.stderr).toBe('');
    expect(result.status).toBe(0);
  });
});
