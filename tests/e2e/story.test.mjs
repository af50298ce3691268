// The main job, as a person does it: a topic, records, a group, a broker's death, a reload, a second tab, a phone.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { commandLine, crash, run, screenText, shown, type } from './helpers.mjs';

const SERVER = '--bootstrap-server localhost:9092';
const create = topic => `kafka-topics.sh ${SERVER} --create --topic ${topic} --partitions 3 --replication-factor 3`;

/** What shows that a view has something to show. */
const VIEWS = { Cluster: 'text=readers', Topics: 'table.mx th', Log: '#log .hot', Groups: '#groups .hot', RPCs: '#rpcs .hot' };

export const tests = {
  'a topic, records and a consumer group': async session => {
    const page = await session.open();
    await run(page, create('orders'), 'Created topic orders.');
    await run(page, `kafka-topics.sh ${SERVER} --describe --topic orders`, /Topic: orders\s+TopicId: \S{22}\s+PartitionCount: 3/);
    await type(page, `printf 'k1:one\\nk2:two\\n' | kafka-console-producer.sh ${SERVER} --topic orders --reader-property parse.key=true --reader-property key.separator=:`);
    await run(page, `kafka-console-consumer.sh ${SERVER} --topic orders --group readers --from-beginning --max-messages 2`, 'Processed a total of 2 messages');
    await run(page, `kafka-consumer-groups.sh ${SERVER} --describe --group readers`, /readers\s+orders\s+0/);
    await page.getByText('orders-0').first().waitFor();
    await session.screenshot(page, 'story');
  },

  'a killed broker is replaced, and comes back': async session => {
    const page = await session.open();
    await run(page, create('safe'), 'Created topic safe.');
    await run(page, 'docker compose kill kafka2', 'Killed');
    await page.getByText('the controller fenced it', { exact: false }).first().waitFor();
    await session.screenshot(page, 'failover');
    await run(page, `kafka-topics.sh ${SERVER} --describe --topic safe --under-replicated-partitions`, /Topic: safe\s+Partition: 0/);
    await run(page, 'docker compose start kafka2', 'Started');
    await page.getByText('is unfenced', { exact: false }).first().waitFor();
  },

  'a reload brings everything back': async session => {
    const page = await session.open();
    await run(page, create('kept'), 'Created topic kept.');
    await page.getByText('saved', { exact: true }).first().waitFor();
    await page.reload();
    await session.ready(page);
    await shown(page).getByText('Created topic kept.').first().waitFor();
    await run(page, `kafka-topics.sh ${SERVER} --list`, /^kept$/m);
  },

  'a second tab watches, and goes on when the first closes': async session => {
    const first = await session.open();
    await run(first, create('shared'), 'Created topic shared.');
    const second = await session.open();
    await second.getByText('Created topic shared.').first().waitFor();
    await first.close();
    await second.waitForFunction(() => !document.body.innerText.includes('Another tab'));
    await run(second, `kafka-topics.sh ${SERVER} --list`, /^shared$/m);
  },

  'a phone shows the cluster and takes commands': async session => {
    const page = await session.openPhone();
    assert(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'nothing is wider than the screen');
    await run(page, 'echo from a phone', 'from a phone');
    await session.screenshot(page, 'phone');
  },

  'a tab killed while producing resumes with every record': async session => {
    const page = await session.open();
    await run(page, create('safe'), 'Created topic safe.');
    await type(page, `kafka-console-producer.sh ${SERVER} --topic safe`);
    await page.waitForFunction(() => document.querySelector('.cmdline .ps')?.textContent === '>');
    const before = 8;
    for (let number = 1; number <= before; number += 1) await type(page, `record ${number}`);
    await shown(page).getByText(`>record ${before}`).waitFor();
    // Many at once: some are shown, some are on their way when the tab dies.
    await page.evaluate(before => {
      const line = document.querySelector('#line');
      for (let number = before + 1; number <= 200; number += 1) {
        line.value = `record ${number}`;
        line.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
      }
    }, before);
    const seen = (await screenText(page)).match(/>record \d+/g).length;
    await crash(page);
    const again = await session.open();
    // The producer still runs. All that was shown has come back, and nothing that came before it is missing.
    await again.waitForFunction(() => document.querySelector('.cmdline .ps')?.textContent === '>');
    const typed = (await screenText(again)).match(/>record \d+/g);
    assert(typed.length >= seen && seen >= before, `${typed.length} of ${seen} came back`);
    await type(again, 'after the crash');
    await commandLine(again).press('Control+d');
    await type(again, 'clear');
    await run(again, `kafka-console-consumer.sh ${SERVER} --topic safe --from-beginning --max-messages ${typed.length + 1} | sort -k 2 -n`, `Processed a total of ${typed.length + 1} messages`);
    await shown(again).getByText(`record ${typed.length}`, { exact: true }).waitFor();
    const got = (await screenText(again)).match(/^record \d+$/gm);
    assert.deepEqual(got, Array.from({ length: typed.length }, (_, index) => `record ${index + 1}`));
    await shown(again).getByText('after the crash', { exact: true }).waitFor();
  },

  'a damaged journal is told, kept, saved as it is, and can be given up': async session => {
    const page = await session.open();
    await run(page, 'echo before', 'before');
    await page.getByText('saved', { exact: true }).first().waitFor();
    const header = change => page.evaluate(async change => {
      const open = indexedDB.open('kafka-playground');
      await new Promise(done => (open.onsuccess = done));
      const store = open.result.transaction('rest', 'readwrite').objectStore('rest');
      const get = store.get('header');
      await new Promise(done => (get.onsuccess = done));
      const bytes = new Uint8Array(get.result);
      if (change) {
        bytes[6] ^= 1;
        await new Promise(done => (store.put(bytes, 'header').onsuccess = done));
      }
      open.result.close();
      return [...bytes];
    }, change);
    const damaged = await header(true);
    await page.reload();
    await session.ready(page);
    await page.getByText("The saved cluster can't be read.").waitFor();
    await run(page, 'echo a new one meanwhile', 'a new one meanwhile');
    assert.deepEqual(await header(false), damaged, 'it is kept as it is');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the journal' }).first().click();
    const file = fs.readFileSync(await (await download).path());
    assert.deepEqual([...file.subarray(4, 4 + damaged.length)], damaged, 'the file is what was found');
    await page.getByRole('button', { name: 'Start afresh' }).first().click();
    await page.locator('dialog').getByRole('button', { name: 'Start afresh' }).click();
    await page.getByText("The saved cluster can't be read.").waitFor({ state: 'detached' });
    await run(page, 'echo afresh', 'afresh');
    await page.getByText('saved', { exact: true }).first().waitFor();
    await page.reload();
    await session.ready(page);
    await shown(page).getByText('echo afresh').first().waitFor();
  },

  'an engine that breaks says so, and leaves its journal': async session => {
    const page = await session.open({ ready: false });
    await page.addInitScript(() => {
      const Original = Worker;
      window.Worker = class extends Original {
        constructor(...words) {
          super(...words);
          window.engine = this;
        }
      };
    });
    await page.reload();
    await session.ready(page);
    await run(page, create('survivor'), 'Created topic survivor.');
    await page.getByText('saved', { exact: true }).first().waitFor();
    // No message of the page's can do this: right magic, version and checksum around what is no message.
    const broken = () => page.evaluate(() => {
      const body = [0xff, 0x7f];
      let crc = -1;
      for (const byte of body) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
      }
      const bytes = new Uint8Array([0x4b, 0x50, 2, 0, 0, 0, 0, 0, ...body]);
      new DataView(bytes.buffer).setUint32(4, ~crc, true);
      window.engine.postMessage(bytes.buffer);
    });
    await broken();
    await page.getByText('The simulator stopped at').waitFor();
    await session.screenshot(page, 'failure');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the journal' }).first().click();
    assert(fs.readFileSync(await (await download).path()).includes('survivor'), 'the journal has the command');
    await page.getByRole('button', { name: 'Try again from what is saved' }).click();
    await session.ready(page);
    await run(page, `kafka-topics.sh ${SERVER} --list`, /^survivor$/m);
    await broken();
    await page.getByText('The simulator stopped at').waitFor();
    await page.getByRole('button', { name: 'Start afresh' }).first().click();
    await page.locator('dialog').getByRole('button', { name: 'Start afresh' }).click();
    await page.getByText('The simulator stopped at').waitFor({ state: 'detached' });
    await session.ready(page);
    await run(page, `kafka-topics.sh ${SERVER} --list; echo listed`, 'listed');
    assert(!(await screenText(page)).includes('survivor'), 'what was kept is gone');
    session.expectTrouble(/unreachable|panicked|RuntimeError|passed their checksum/);
  },

  'every view is accessible in every theme': async session => {
    const page = await session.open();
    await run(page, create('seen'), 'Created topic seen.');
    await type(page, `kafka-console-consumer.sh ${SERVER} --topic seen --group readers --from-beginning &`);
    await run(page, `seq 40 | sed 's/.*/key-&:value &/' | kafka-console-producer.sh ${SERVER} --topic seen --reader-property parse.key=true --reader-property key.separator=:`, 'value 40');
    for (const view of ['Cluster', 'Topics', 'Log', 'Groups', 'RPCs']) {
      await page.getByRole('tab', { name: view, exact: true }).click();
      await page.locator(VIEWS[view]).first().waitFor();
      for (const theme of ['light', 'dark', 'contrast', 'projector']) {
        await page.evaluate(theme => document.documentElement.setAttribute('data-theme', theme), theme);
        await session.assertAccessible(page, `${view}, ${theme}`);
        if (theme === 'dark') await session.screenshot(page, `view-${view}`);
      }
    }
  },

  'a terminal follows its output, until somebody scrolls up': async session => {
    const page = await session.open();
    const gap = () => page.evaluate(() => {
      const screen = document.getElementById('screen');
      return screen.scrollHeight - screen.scrollTop - screen.clientHeight;
    });
    const follows = () => page.waitForFunction(() => {
      const screen = document.getElementById('screen');
      return screen.scrollTop > 0 && screen.scrollHeight - screen.scrollTop - screen.clientHeight < 4;
    });
    for (const count of [40, 80, 3]) {
      await run(page, `seq ${count}; echo printed ${count}`, `printed ${count}`);
      await follows();
    }
    await type(page, 'for i in 1 2 3 4; do sleep 1; echo tick $i; done');
    await page.locator('#screen').hover();
    await page.mouse.wheel(0, -600);
    await page.waitForFunction(() => document.getElementById('screen').scrollHeight - document.getElementById('screen').scrollTop > 600);
    await shown(page).getByText('tick 4').first().waitFor();
    assert(await gap() > 300, 'what is being read stays in sight');
    await page.locator('#screen').hover();
    await page.mouse.wheel(0, 9_000);
    await run(page, 'seq 30; echo followed again', 'followed again');
    await follows();
  },

  'Ctrl-C ends what runs, and history comes back': async session => {
    const page = await session.open();
    await run(page, create('typed'), 'Created topic typed.');
    await run(page, `kafka-console-consumer.sh ${SERVER} --topic typed`, 'production-ready');
    await commandLine(page).press('Control+c');
    await shown(page).getByText('Processed a total of 0 messages').waitFor();
    await commandLine(page).press('ArrowUp');
    await page.waitForFunction(() => document.querySelector('#line').value.startsWith('kafka-console-consumer.sh'));
  },
};
