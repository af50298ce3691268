// node tests/e2e/bench.mjs URL DIST OUT.json NATIVE.json WORKLOADS [--json]: what `cargo xtask bench` measures in the browser, put together
// with the native figures and the sizes; prints a table (or, with --json, the JSON), writes the JSON to OUT.json.
import fs from 'node:fs';
import path from 'node:path';
import { launch, Session, startTraffic } from './helpers.mjs';
import { table as sizeTable, weigh } from '../../tools/size.mjs';

const json = process.argv.includes('--json');
const [url, dist, out, nativeFile, workloads] = process.argv.slice(2).filter(word => word !== '--json');
const VISITS = 5;
const FRAMES_FOR = 10_000; // ms

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
const round = (number, digits = 1) => Number(number.toFixed(digits));

const browser = await launch();

/** Milliseconds from the start of the navigation until the engine's first picture; a new profile each time. */
async function interactive() {
  const times = [];
  for (let visit = 0; visit < VISITS; visit += 1) {
    const session = new Session(browser, url, '.');
    const page = await session.open();
    // page.rs marks the moment; without the mark, now is late by one round trip.
    times.push(await page.evaluate(() => performance.getEntriesByName('engine-ready')[0]?.startTime ?? performance.now()));
    await session.close();
  }
  times.sort((a, b) => a - b);
  return { median: round(quantile(times, 0.5)), worst: round(times.at(-1)) };
}

/** Frame times and long tasks of the default cluster under traffic. */
async function frames() {
  const session = new Session(browser, url, '.');
  const page = await session.open();
  const traffic = await startTraffic(page);
  const measured = await page.evaluate(duration => new Promise(resolve => {
    const tasks = [];
    const observer = new PerformanceObserver(list => tasks.push(...list.getEntries().map(entry => entry.duration)));
    observer.observe({ type: 'longtask' });
    const frames = [];
    const start = performance.now();
    let last = start;
    const next = now => {
      frames.push(now - last);
      last = now;
      if (now - start < duration) requestAnimationFrame(next);
      else {
        observer.disconnect();
        resolve({ frames: frames.slice(1).sort((a, b) => a - b), tasks });
      }
    };
    requestAnimationFrame(next);
  }), FRAMES_FOR);
  await session.close();
  return {
    traffic,
    frame_ms: { p50: round(quantile(measured.frames, 0.5)), p95: round(quantile(measured.frames, 0.95)), p99: round(quantile(measured.frames, 0.99)) },
    // The browser reports tasks from 50 ms on; none is said as 0.
    longest_task_ms: Math.round(Math.max(0, ...measured.tasks)),
    tasks_over_50_ms: measured.tasks.length,
  };
}

/** The engine's workloads in a worker, the best of three runs each, beside what they came to natively. */
async function engine(native) {
  const page = await browser.newPage();
  // Served from memory under the page's own address, so that nothing of it needs to be in dist.
  await page.route('**/_bench/*', route => {
    const name = new URL(route.request().url()).pathname.split('/').at(-1);
    if (name === 'page') return route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>bench</title>' });
    if (name === 'worker.js') return route.fulfill({ contentType: 'text/javascript', body: WORKER });
    return route.fulfill({ contentType: name.endsWith('.wasm') ? 'application/wasm' : 'text/javascript', body: fs.readFileSync(path.join(workloads, name)) });
  });
  await page.goto(`${url}_bench/page`);
  const measured = await page.evaluate(() => new Promise((resolve, reject) => {
    const worker = new Worker('./worker.js', { type: 'module' });
    worker.onmessage = event => resolve(event.data);
    worker.onerror = event => reject(new Error(event.message));
  }));
  await page.close();
  return Object.fromEntries(measured.map(({ name, rate, check }) => {
    const own = native[name];
    if (own && own.check !== check) throw new Error(`${name}: wasm came to ${check}, native to ${own.check}`);
    return [name, { native: own?.rate, wasm: Math.round(rate), ratio: own ? round(own.rate / rate, 2) : undefined }];
  }));
}

const WORKER = `
import init, { run, workloads } from './bench.js';
await init();
const results = workloads().split('\\n').map((line, index) => {
  const [name, amount] = [line.split(' ')[0], Number(line.split(' ')[1])];
  let best = Infinity, check;
  for (let turn = 0; turn < 3; turn += 1) {
    const start = performance.now();
    check = run(index, amount);
    best = Math.min(best, performance.now() - start);
  }
  return { name, rate: amount / best * 1000, check };
});
postMessage(results);
`;

const sizes = weigh(dist);
const native = JSON.parse(fs.readFileSync(nativeFile, 'utf8'));
const { payload_bytes: payload, snapshot_bytes: snapshot, resident_bytes: resident } = native.kept;
const kept = { snapshot_per_payload_byte: round(snapshot / payload, 3), memory_per_payload_byte: resident && round(resident / payload, 3) };
const result = { engine: { ...(await engine(native)), kept }, page: { interactive_ms: await interactive(), ...(await frames()) }, size: sizes };
await browser.close();

// Nested figures become flat names, so that the table needs to know none of them.
const flat = (value, name = '') => (value !== null && typeof value === 'object' && !Array.isArray(value)
  ? Object.entries(value).flatMap(([key, inner]) => flat(inner, name ? `${name}.${key}` : key))
  : [[name, value]]);
const show = value => (typeof value === 'number' ? value.toLocaleString('en', { maximumFractionDigits: 3 }) : String(value));
fs.writeFileSync(out, `${JSON.stringify(result, null, 1)}\n`);
if (json) {
  console.log(JSON.stringify(result, null, 1));
} else {
  for (const [name, value] of [...flat(result.engine), ...flat(result.page, 'page')]) console.log(`${name.padEnd(44)}${show(value).padStart(24)}`);
  console.log(`\n${sizeTable(sizes)}`);
}
