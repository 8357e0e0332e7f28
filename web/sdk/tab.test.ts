import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Tab, tabOf } from "./tab.ts";
import { FakeChannels, FakeLocks } from "./testing/profile.ts";
import { FakePage, Memory } from "./testing/wire.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Page {
	readonly tab: Tab;
	/** The `sessionStorage` of its tab. */
	readonly entries: Map<string, string>;
	/** The browser ends the page without a word, as it does with a process that hangs. */
	kill(): void;
}

/** One browser profile. */
class Profile {
	readonly #locks = new FakeLocks();
	readonly #channels = new FakeChannels();
	readonly #local = new Memory();
	readonly #webLocks: boolean;
	#pages = 0;

	constructor({ webLocks = true } = {}) {
		this.#webLocks = webLocks;
	}

	/** Opens a page in a tab of its own, or in the tab with these entries. */
	async open(entries = new Map<string, string>()): Promise<Page> {
		const name = `page-${++this.#pages}`;
		const channels: BroadcastChannel[] = [];
		const env = Object.assign(new FakePage(this.#local), {
			sessionStorage: new Memory(entries),
			locks: this.#webLocks ? this.#locks.of(name) : undefined,
			channel: (channel: string) => {
				channels.push(this.#channels.create(channel));
				return channels.at(-1) as BroadcastChannel;
			},
			id: () => `id-of-${name}`,
		});
		const tab = tabOf(env, "carillon");
		const settled = tab.settled();
		await vi.advanceTimersByTimeAsync(700);
		await settled;
		const kill = () => {
			for (const c of channels) c.close();
			this.#locks.kill(name);
		};
		return { tab, entries, kill };
	}

	/** The browser has not released the lock of a page that is gone. */
	holdLock(tab: string): { release(): void } {
		const taken = { release: () => {} };
		const until = new Promise<void>((done) => {
			taken.release = done;
		});
		void this.#locks.of("browser").request(`tab:${tab}`, () => until);
		return taken;
	}

	reload(page: Page): Promise<Page> {
		return this.open(page.entries);
	}

	copy(page: Page): Promise<Page> {
		return this.open(new Map(page.entries));
	}
}

/** What a page learns of another, and what it does not know yet. */
function takeOver(page: Page, from: Page) {
	const seen: { mayTakeOver?: boolean } = {};
	void page.tab.mayTakeOver(from.tab.id, new AbortController().signal).then((may) => {
		seen.mayTakeOver = may;
	});
	return seen;
}

describe("a tab", () => {
	it("keeps its id over a reload, and what was its own", async () => {
		const profile = new Profile();
		const old = await profile.open();
		old.tab.release();
		const page = await profile.reload(old);
		expect(page.tab.id).toBe(old.tab.id);
		expect(await page.tab.mayTakeOver(old.tab.id, AbortSignal.timeout(1000))).toBe(true);
	});

	it("keeps its id over a crash and a reload", async () => {
		const profile = new Profile();
		const old = await profile.open();
		old.kill();
		const page = await profile.reload(old);
		expect(page.tab.id).toBe(old.tab.id);
	});

	it("whose old page goes late has a new id, and takes over when it is gone", async () => {
		const profile = new Profile();
		const old = await profile.open();
		const page = await profile.reload(old);
		expect(page.tab.id).not.toBe(old.tab.id);
		const seen = takeOver(page, old);
		await vi.advanceTimersByTimeAsync(1500);
		expect(seen, "the old page answers: it may live, or be on its way out").toEqual({});
		old.tab.release();
		await vi.advanceTimersByTimeAsync(0);
		expect(seen).toEqual({ mayTakeOver: true });
	});

	it("whose old page hangs and is killed takes over too", async () => {
		const profile = new Profile();
		const old = await profile.open();
		old.kill();
		const locks = profile.holdLock(old.tab.id);
		const page = await profile.reload(old);
		const seen = takeOver(page, old);
		await vi.advanceTimersByTimeAsync(3000);
		expect(seen).toEqual({});
		locks.release();
		await vi.advanceTimersByTimeAsync(0);
		expect(seen).toEqual({ mayTakeOver: true });
	});

	it("that is a copy takes nothing over from a page that lives, nor when that one goes", async () => {
		const profile = new Profile();
		const original = await profile.open();
		const copy = await profile.copy(original);
		const seen = takeOver(copy, original);
		await vi.advanceTimersByTimeAsync(20_000);
		expect(seen).toEqual({});
		original.tab.release();
		await vi.advanceTimersByTimeAsync(2000);
		expect(seen).toEqual({ mayTakeOver: false });
	});

	it("that is a copy, was reloaded and loses its original at once, takes nothing over", async () => {
		const profile = new Profile();
		const original = await profile.open();
		const copy = await profile.copy(original);
		copy.tab.release();
		const next = await profile.reload(copy);
		const seen = takeOver(next, original);
		await vi.advanceTimersByTimeAsync(50);
		original.tab.release();
		await vi.advanceTimersByTimeAsync(2000);
		expect(seen).toEqual({ mayTakeOver: false });
	});

	it("that is a copy stands in line before the original's next page, which takes over all the same", async () => {
		const profile = new Profile();
		const original = await profile.open();
		const copy = await profile.copy(original);
		const copySeen = takeOver(copy, original);
		original.tab.release();
		const next = await profile.reload(original);
		expect(next.tab.id).toBe(original.tab.id);
		await vi.advanceTimersByTimeAsync(2000);
		expect(copySeen).toEqual({ mayTakeOver: false });
	});

	it("that was reloaded again goes on waiting for the first page", async () => {
		const profile = new Profile();
		const first = await profile.open();
		const second = await profile.reload(first);
		second.tab.release();
		const third = await profile.reload(second);
		expect(third.tab.id).toBe(second.tab.id);
		const seen = takeOver(third, first);
		first.tab.release();
		await vi.advanceTimersByTimeAsync(0);
		expect(seen).toEqual({ mayTakeOver: true });
	});

	it("without Web Locks keeps its id over a reload, and takes over nothing under another", async () => {
		const profile = new Profile({ webLocks: false });
		const old = await profile.open();
		const copy = await profile.copy(old);
		expect(copy.tab.id).not.toBe(old.tab.id);
		expect(await copy.tab.mayTakeOver(old.tab.id, AbortSignal.timeout(1000))).toBe(false);
		old.tab.release();
		const page = await profile.reload(old);
		expect(page.tab.id).toBe(old.tab.id);
	});
});
