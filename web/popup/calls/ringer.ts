/** Makes one tab of this browser sound while a call rings, or waits, or rings at the other end. */
import type { Calls, Client, Ring } from "../../sdk/index.ts";
import { headStart, tabState } from "../election.ts";
import { loop, type SoundName } from "../tones.ts";

/** What should sound in this browser (everywhere), or in this tab alone. */
export type WantedSound = { readonly sound: SoundName; readonly everywhere: boolean } | undefined;

export function wantedSound(calls: Pick<Calls, "rings" | "views">): WantedSound {
	const loud = calls.rings.find((ring: Ring) => !ring.silenced && !ring.waiting);
	if (loud) return { sound: "ringtone", everywhere: true };
	const here = calls.views.find((view) => view.here);
	if (here?.phase === "ringing") return { sound: "ringback", everywhere: false };
	if (here && calls.rings.some((ring) => !ring.silenced)) return { sound: "waiting", everywhere: false };
	return undefined;
}

export class Ringer {
	readonly #client: Client;
	#playing: { sound: SoundName; stop: AbortController } | undefined;

	constructor(client: Client) {
		this.#client = client;
	}

	update(want: WantedSound): void {
		if (want?.sound === this.#playing?.sound) return;
		this.#playing?.stop.abort();
		this.#playing = undefined;
		if (!want) return;
		const stop = new AbortController();
		this.#playing = { sound: want.sound, stop };
		if (want.everywhere) void this.#race(want.sound, stop.signal);
		else void loop(want.sound, stop.signal);
	}

	/** Races with the other tabs until the ring ends, because the winner may be closed, or may not be allowed to play. */
	async #race(sound: SoundName, signal: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			await pause(headStart(tabState()), signal);
			const lost = new AbortController();
			const mine = AbortSignal.any([signal, lost.signal]);
			if (await this.#client.win("ringer", mine).catch(() => false)) {
				this.#settleWithSiblings(lost, mine);
				// Keeps the job until the ring ends, or until another tab turns out to have it too.
				if (await loop(sound, mine)) await aborted(mine);
				lost.abort();
			}
			await pause(500, signal);
		}
	}

	/**
	 * Without Web Locks a busy tab may say too late that it sounds already, so two tabs may sound. The one with the lower ticket goes
	 * on, the other stops.
	 */
	#settleWithSiblings(lost: AbortController, signal: AbortSignal): void {
		const ticket = Math.random();
		const say = () => this.#client.tell("sounds", ticket);
		this.#client.on(
			"sibling",
			({ topic, data }) => {
				if (topic !== "sounds" || typeof data !== "number") return;
				if (data < ticket) lost.abort();
				else if (data > ticket) say();
			},
			{ signal },
		);
		say();
	}
}

function aborted(signal: AbortSignal): Promise<void> {
	return new Promise((done) => {
		if (signal.aborted) done();
		else signal.addEventListener("abort", () => done(), { once: true });
	});
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
	return new Promise((done) => {
		const timer = setTimeout(done, ms);
		signal.addEventListener("abort", () => {
			clearTimeout(timer);
			done();
		});
	});
}
