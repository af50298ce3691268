// What the tests in a browser share: starting it, pages that notice errors and foreign requests, axe, screenshots.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
const TEST_TIMEOUT = 120_000; // ms; a whole story on a busy machine
const WAIT_TIMEOUT = 20_000; // ms; one thing to appear

/** The browser that CHROME names. Root may not use its sandbox; the other flags keep it from calling home. */
export async function launch(options = {}) {
  const executablePath = process.env.CHROME;
  assert(executablePath, 'CHROME names no browser; `cargo xtask test e2e` sets it');
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ...options,
  });
}

/** One test's browser profile: its pages share storage, and nothing is left of it afterwards. */
export class Session {
  #browser;
  #contexts = [];
  #current;

  constructor(browser, url, output) {
    this.#browser = browser;
    this.url = url;
    this.output = output;
    /** What a test must not cause; a test that expects an error takes it out with `expectTrouble`. */
    this.trouble = [];
  }

  /** A new page at the app's start (or `hash`), in this test's profile. `context` options begin a profile of their own. */
  async open({ hash = '', path: place = '', context, ready = true } = {}) {
    if (context || !this.#current) this.#current = await this.#newContext(context);
    const page = await this.#current.newPage();
    await page.goto(this.url + place + hash);
    if (ready) await this.ready(page);
    return page;
  }

  /** Waits until the page shows a running engine. */
  async ready(page) {
    await page.locator('body[data-engine="ready"], [role="status"]:has-text("ready")').first().waitFor({ state: 'attached' });
  }

  /** Opens with an emulated phone. */
  openPhone(options = {}) {
    return this.open({ ...options, context: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 } });
  }

  /** The newest profile's network is cut or restored. */
  setOffline(offline) {
    return this.#current.setOffline(offline);
  }

  async #newContext(options = {}) {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    context.setDefaultTimeout(WAIT_TIMEOUT);
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(this.url).origin });
    const origin = new URL(this.url).origin;
    context.on('request', request => {
      const target = new URL(request.url());
      const local = target.origin === origin || ['data:', 'blob:', 'about:'].includes(target.protocol);
      if (!local) this.trouble.push(`request to another host: ${request.url()}`);
    });
    context.on('console', message => {
      if (message.type() === 'error') this.trouble.push(`console: ${message.text()}`);
    });
    context.on('weberror', error => this.trouble.push(`error: ${error.error().message}`));
    this.#contexts.push(context);
    return context;
  }

  /** Takes out of `trouble` what matches, and fails if nothing does. */
  expectTrouble(pattern) {
    const others = this.trouble.filter(text => !pattern.test(text));
    assert(others.length < this.trouble.length, `expected an error like ${pattern}`);
    this.trouble = others;
  }

  /** Fails if a page logged an error, threw one, or asked another host for anything. */
  assertQuiet() {
    assert.deepEqual(this.trouble, [], 'errors or foreign requests');
  }

  /** axe finds nothing. Its script is put in by the debugger, so the page's content policy stays as it is. */
  async assertAccessible(page, where) {
    const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
    if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
    const violations = await page.evaluate(async () => {
      const result = await window.axe.run(document, { resultTypes: ['violations'] });
      return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => `${node.target.join(' ')} (${node.failureSummary?.split('\n')[1]?.trim() ?? ''})`).join('; ')}`);
    });
    assert.deepEqual(violations, [], `axe, ${where}`);
  }

  /** A picture in tests/e2e/output. */
  screenshot(page, name) {
    return page.screenshot({ path: path.join(this.output, `${name}.png`) });
  }

  async screenshotAll(name) {
    let number = 0;
    for (const page of this.#contexts.flatMap(context => context.pages())) {
      number += 1;
      await this.screenshot(page, `${name}-${number}`).catch(() => {});
    }
  }

  /** Fails when a test takes longer than any should. */
  within(run) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`took longer than ${TEST_TIMEOUT / 1000} s`)), TEST_TIMEOUT);
    });
    return Promise.race([run(), late]).finally(() => clearTimeout(timer));
  }

  async close() {
    for (const context of this.#contexts) await context.close();
  }
}

/** The command line of the terminal in view. */
export const commandLine = page => page.getByRole('combobox', { name: 'Command line' });

/** What the terminal in view shows. */
export const shown = page => page.getByRole('log', { name: 'Output' }).first();

/** Types one line into the terminal in view, as a person would. */
export async function type(page, line) {
  await commandLine(page).fill(line);
  await commandLine(page).press('Enter');
}

/** Pastes from the clipboard into the terminal in view. */
export async function paste(page, text) {
  await page.evaluate(text => navigator.clipboard.writeText(text), text);
  await commandLine(page).focus();
  await page.keyboard.press('Control+v');
}

/** All that the terminal in view shows: what was printed, and the line with its prompt. */
export const screenText = page => page.evaluate(() => {
  const rows = [...document.querySelectorAll('#screen .log > *')].map(row => row.textContent);
  const prompt = document.querySelector('.cmdline .ps')?.textContent ?? '';
  return `${rows.join('\n')}\n${prompt}${document.querySelector('#line')?.value ?? ''}`;
});

/** Types a line and waits for a text in the output. */
export async function run(page, line, expected) {
  await type(page, line);
  await shown(page).getByText(expected).last().waitFor();
}

/** The tab's process dies at once: nothing of the page gets to say goodbye. */
export async function crash(page) {
  const debuggerOf = await page.context().newCDPSession(page);
  const dead = page.waitForEvent('crash');
  debuggerOf.send('Page.crash').catch(() => {}); // never answers
  await dead;
  await page.close();
}

/** Begins steady traffic in the default cluster; says which commands made it. */
export async function startTraffic(page) {
  const commands = [
    'kafka-topics --bootstrap-server kafka1:9092 --create --topic traffic --partitions 12 --replication-factor 3',
    'kafka-console-consumer --bootstrap-server kafka1:9092 --topic traffic --group traffic > /dev/null &',
    'for i in $(seq 100000); do echo "record $i"; sleep 0.01; done | kafka-console-producer --bootstrap-server kafka1:9092 --topic traffic &',
  ];
  for (const command of commands) await type(page, command);
  return commands.at(-1);
}
