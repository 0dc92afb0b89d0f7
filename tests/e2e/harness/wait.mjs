// Waiting: every wait is a poll with a limit, and says what it waited for.

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Calls `probe` until it returns something truthy; fails with `what` and the last answer after `limit` ms. */
export async function until(what, probe, { limit = 15_000, every = 25 } = {}) {
  const end = performance.now() + limit;
  let last;
  for (;;) {
    try {
      last = await probe();
      if (last) return last;
    } catch (error) {
      if (error.fatal) throw error;
      last = error;
    }
    if (performance.now() > end) throw new Error(`gave up after ${limit} ms waiting for ${what}; last: ${show(last)}`);
    await pause(every);
  }
}

/** Fails with `what` when `promise` takes longer than `limit` ms. */
export async function within(what, limit, promise) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${what} took longer than ${limit} ms`)), limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function show(value) {
  if (value instanceof Error) return value.message;
  try {
    return JSON.stringify(value)?.slice(0, 600);
  } catch {
    return String(value);
  }
}
