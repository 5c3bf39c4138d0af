import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyPair } from './certificates.ts';
import { startServerProcess } from './server-process.ts';
import { findTool } from './tools.ts';

export interface NginxOptions {
  /** `ADDRESS:PORT` of a plain HTTP server. */
  readonly upstream: string;
  /** Default `127.0.0.1`. */
  readonly address?: string;
  readonly tls?: KeyPair;
  /** Path of the authority of the certificates that clients must show. */
  readonly clientCa?: string;
  /** Larger bodies are refused with 413; a number with `k` or `m`. Default: none. */
  readonly maxBodySize?: string;
}

export interface Nginx {
  /** `ADDRESS:PORT`. */
  readonly host: string;
  close(): Promise<void>;
}

/** Starts a real nginx in front of a server. Throws if there is none; see `requireTool`. */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const command = findTool('nginx');
  if (command === undefined) throw new Error('nginx is not installed');
  const address = options.address ?? '127.0.0.1';
  const folder = await mkdtemp(join(tmpdir(), 'dt-nginx-'));
  await mkdir(join(folder, 'temporary'));
  const server = await startServerProcess({
    command,
    address,
    prepare: async (port) => {
      await writeFile(join(folder, 'nginx.conf'), configuration(folder, `${address}:${String(port)}`, options));
      return ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')];
    },
  });
  return {
    host: `${address}:${String(server.port)}`,
    close: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** One process without workers, so that killing it leaves nothing behind. https://nginx.org/en/docs/ */
function configuration(folder: string, listen: string, { upstream, tls, clientCa, maxBodySize }: NginxOptions): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `  ${kind}_temp_path ${join(folder, 'temporary', kind)};`,
  );
  const secure = tls === undefined ? [] : [`ssl_certificate ${tls.certificate};`, `ssl_certificate_key ${tls.key};`];
  const verified = clientCa === undefined ? [] : [`ssl_client_certificate ${clientCa};`, 'ssl_verify_client on;'];
  return `
daemon off;
master_process off;
pid ${join(folder, 'nginx.pid')};
events { worker_connections 256; }
http {
${temporary.join('\n')}
  access_log off;
  server {
    listen ${listen}${tls === undefined ? '' : ' ssl'};
    ${[...secure, ...verified].join('\n    ')}
    client_max_body_size ${maxBodySize ?? '0'};
    location / {
      proxy_pass http://${upstream};
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`;
}
