// node tests/e2e/run.mjs URL [WORD…]: runs tests/e2e/*.test.mjs (those whose file or test name contains a WORD) against the
// page at URL, in the browser that CHROME names. Each file exports `tests`: { name: async ({ open, url, … }) => … }.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { launch, Session } from './helpers.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const [url, ...words] = process.argv.slice(2);
if (!url) {
  console.error('usage: node tests/e2e/run.mjs URL [WORD...]   (cargo xtask test e2e does it all)');
  process.exit(2);
}
const output = path.join(here, 'output');
fs.rmSync(output, { recursive: true, force: true });
fs.mkdirSync(output, { recursive: true });

const browser = await launch();
let passed = 0;
let failed = 0;
for (const file of fs.readdirSync(here).filter(name => name.endsWith('.test.mjs')).sort()) {
  const { tests } = await import(pathToFileURL(path.join(here, file)));
  for (const [name, test] of Object.entries(tests)) {
    const title = `${file.replace('.test.mjs', '')}: ${name}`;
    if (words.length && !words.some(word => title.includes(word))) continue;
    const session = new Session(browser, url, output);
    const start = performance.now();
    try {
      await session.within(() => test(session));
      session.assertQuiet();
      passed += 1;
      console.log(`ok     ${title} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${title}\n  ${String(error.stack ?? error).replaceAll('\n', '\n  ')}`);
      await session.screenshotAll(`failed-${title.replace(/\W+/g, '-')}`);
    } finally {
      await session.close();
    }
  }
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
