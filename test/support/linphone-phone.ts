import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Child } from './child-process.ts';

export interface LinphoneOptions {
  folder: string;
  username: string;
  password: string;
  /** Host and port. */
  server: string;
  /** SIP port. */
  port: number;
}

/** A headless linphonec that registers, and does nothing else. */
export class LinphonePhone {
  readonly child: Child;

  private constructor(child: Child) {
    this.child = child;
  }

  static start(options: LinphoneOptions): Promise<LinphonePhone> {
    const { folder, username, password, server, port } = options;
    giveDefaultRoute();
    mkdirSync(path.join(folder, '.local/share/linphone'), { recursive: true });
    const file = path.join(folder, 'linphonerc');
    const uri = `sip:${username}@${server}`;
    const proxy = `<sip:${server};transport=udp`;
    writeFileSync(
      file,
      [
        '[sip]',
        `sip_port=${port}`,
        `sip_tcp_port=${port}`,
        'sip_tls_port=0',
        'bind_address=127.0.0.1',
        `contact="${username}" <sip:${username}@127.0.0.1:${port}>`,
        'guess_hostname=0',
        'use_ipv6=0',
        'register_only_when_network_is_up=0',
        'auto_net_state_mon=0',
        'default_proxy=0',
        '[net]',
        'firewall_policy=0',
        'dns_srv_enabled=0',
        'dns_search_enabled=0',
        '[proxy_0]',
        `reg_proxy=${proxy}>`,
        `reg_route=${proxy};lr>`,
        `reg_identity="${username}" <${uri}>`,
        'reg_expires=300',
        'reg_sendregister=1',
        'publish=0',
        '[auth_info_0]',
        `username=${username}`,
        `passwd=${password}`,
        '',
      ].join('\n'),
    );
    // A pipe that is open at both ends: at the end of its input linphonec would quit.
    const script = 'mkfifo in; exec stdbuf -oL -eL linphonec -c "$PWD/linphonerc" -d 6 -S 0<> in';
    const child = new Child({
      name: `linphone ${username}`,
      command: 'sh',
      args: ['-c', script],
      logFile: path.join(folder, 'log'),
      cwd: folder,
      env: {
        HOME: folder,
        XDG_DATA_HOME: path.join(folder, '.local/share'),
        XDG_CONFIG_HOME: folder,
      },
    });

    return Promise.resolve(new LinphonePhone(child));
  }

  async stop(): Promise<void> {
    await this.child.stop();
  }
}

/** linphone opens no socket where no route leads anywhere; in a namespace with nothing but `lo` there is none. */
function giveDefaultRoute(): void {
  spawnSync('ip', ['addr', 'add', '127.8.8.8/32', 'dev', 'lo']);
  spawnSync('ip', ['route', 'add', 'default', 'dev', 'lo', 'src', '127.8.8.8']);
}
