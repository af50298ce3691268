// node tests/e2e/bench.mjs URL DIST OUT.json [NATIVE.json]: what `cargo xtask bench` measures in the browser, put together
// with the native figures and the sizes; prints a table (or, with --json, the JSON), writes the JSON to OUT.json.
import fs from 'node:fs';
import { launch, Session, startTraffic } from './helpers.mjs';
import { table as sizeTable, weigh } from '../../tools/size.mjs';

const json = process.argv.includes('--json');
const [url, dist, out, nativeFile] = process.argv.slice(2).filter(word => word !== '--json');
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

const sizes = weigh(dist);
const native = nativeFile ? JSON.parse(fs.readFileSync(nativeFile, 'utf8')) : {};
const result = { native, page: { interactive_ms: await interactive(), ...(await frames()) }, size: sizes };
await browser.close();

// Figures of the native run that a worker can repeat: flat names, so the table needs to know none of them.
const flat = (value, name = '') => (value !== null && typeof value === 'object' && !Array.isArray(value)
  ? Object.entries(value).flatMap(([key, inner]) => flat(inner, name ? `${name}.${key}` : key))
  : [[name, value]]);
const show = value => (typeof value === 'number' ? value.toLocaleString('en', { maximumFractionDigits: 3 }) : String(value));
fs.writeFileSync(out, `${JSON.stringify(result, null, 1)}\n`);
if (json) {
  console.log(JSON.stringify(result, null, 1));
} else {
  for (const [name, value] of [...flat(native), ...flat(result.page, 'page')]) console.log(`${name.padEnd(44)}${show(value).padStart(24)}`);
  console.log(`\n${sizeTable(sizes)}`);
}
