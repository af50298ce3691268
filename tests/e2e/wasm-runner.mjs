// A cargo runner for wasm tests where a browser but no driver is installed: wasm-bindgen-test-runner serves the tests as
// for a person, and playwright-core opens them. node tests/e2e/wasm-runner.mjs FILE.wasm [ARGS…]
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { launch } from './helpers.mjs';

const LIMIT = 300_000; // ms for one file of tests
const port = await new Promise(found => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => found(port));
  });
});
const address = `127.0.0.1:${port}`;
const environment = { ...process.env, NO_HEADLESS: '1', WASM_BINDGEN_TEST_ADDRESS: address };
const runner = spawn('wasm-bindgen-test-runner', process.argv.slice(2), { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
let said = '';
const served = new Promise(resolve => {
  runner.stdout.on('data', data => {
    said += data;
    if (said.includes(address)) resolve(true);
  });
  runner.on('exit', () => resolve(false)); // a file without tests ends at once
});
if (!(await served)) {
  process.stdout.write(said);
  process.exit(runner.exitCode ?? 1);
}
const browser = await launch();
try {
  const page = await browser.newPage();
  await page.goto(`http://${address}/`);
  await page.waitForFunction(() => /test result: /.test(document.body.innerText), null, { timeout: LIMIT, polling: 100 });
  const text = await page.evaluate(() => document.body.innerText);
  console.log(text);
  process.exitCode = /test result: ok/.test(text) ? 0 : 1;
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
} finally {
  await browser.close();
  runner.kill();
}
