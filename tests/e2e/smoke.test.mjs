// The page starts, its engine answers, and it starts again without a network.
import assert from 'node:assert/strict';

export const tests = {
  'the page starts its engine': async session => {
    const page = await session.open();
    assert.match(await page.title(), /Kafka/);
    await session.screenshot(page, 'start');
  },

  'a second visit needs no network': async session => {
    const page = await session.open();
    // The worker takes over once it has kept every file.
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
      while (!navigator.serviceWorker.controller) await new Promise(done => navigator.serviceWorker.addEventListener('controllerchange', done, { once: true }));
    });
    await session.setOffline(true);
    await page.reload();
    await session.ready(page);
  },
};
