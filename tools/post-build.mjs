// After a release build: a content security policy with the hashes of the inline scripts, and a service worker that
// keeps every file of this build, so that the page works offline and a new build replaces the old one as a whole.
//
// node tools/post-build.mjs [DIST]; trunk calls it as a post_build hook, with TRUNK_STAGING_DIR and TRUNK_PROFILE.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

if (process.env.TRUNK_PROFILE === 'debug') process.exit(0); // `trunk serve` adds an inline script of its own
const dist = process.argv[2] ?? process.env.TRUNK_STAGING_DIR;
const sha256 = text => createHash('sha256').update(text).digest('base64');

const index = path.join(dist, 'index.html');
const register = `<script>if ('serviceWorker' in navigator) navigator.serviceWorker.register('./sw.js')</script>`;
let html = fs.readFileSync(index, 'utf8').replace('</body>', `${register}\n</body>`);
const inline = [...html.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g)];
const policy = [
  `default-src 'self'`,
  `script-src 'self' 'wasm-unsafe-eval' ${inline.map(script => `'sha256-${sha256(script[1])}'`).join(' ')}`,
  `worker-src 'self' blob:`,
  `style-src 'self'`,
  `img-src 'self' data: blob:`,
  `connect-src 'self'`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `object-src 'none'`,
].join('; ');
html = html.replace(/<meta charset="utf-8">/i, `$&\n  <meta http-equiv="Content-Security-Policy" content="${policy}">`);
if (!html.includes('Content-Security-Policy')) throw new Error('index.html has no <meta charset="utf-8"> to put the policy after');
fs.writeFileSync(index, html);

const files = fs.readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile() && entry.name !== 'sw.js')
  .map(entry => path.relative(dist, path.join(entry.parentPath ?? entry.path, entry.name)).split(path.sep).join('/'))
  .sort();
const contents = files.map(file => file + sha256(fs.readFileSync(path.join(dist, file)))).join('\n');
const version = sha256(contents).slice(0, 12).replace(/\W/g, '_');
const kept = ['./', ...files.filter(file => file !== 'index.html')];
fs.writeFileSync(path.join(dist, 'sw.js'), `const CACHE = 'kafka-playground-${version}';
const FILES = ${JSON.stringify(kept)};
self.addEventListener('install', event => event.waitUntil(
  caches.open(CACHE)
    .then(cache => cache.addAll(FILES.map(file => new Request(file, { cache: 'reload' }))))
    .then(() => self.skipWaiting())));
self.addEventListener('activate', event => event.waitUntil(
  caches.keys()
    .then(names => Promise.all(names.filter(name => name.startsWith('kafka-playground-') && name !== CACHE).map(name => caches.delete(name))))
    .then(() => self.clients.claim())));
self.addEventListener('fetch', event => {
  if (event.request.method !== 'GET' || new URL(event.request.url).origin !== location.origin) return;
  event.respondWith(caches.match(event.request, { ignoreSearch: true }).then(kept => kept ?? fetch(event.request)));
});
`);
