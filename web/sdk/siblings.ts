/**
 * The other tabs of this browser profile and user. They only make things quicker: what is told here also reaches the tabs
 * through the server, or can be missed.
 */
import type { Environment } from "./environment.ts";
import { acquire, acquireIfFree } from "./lock.ts";
import { ignore, sleep } from "./wait.ts";

interface Claim {
	readonly job: string;
	readonly ticket: number;
}

/** How long a claim waits for an objection where there are no Web Locks: a busy tab may be slow to object. */
const objectionMs = 400;

export class Siblings {
	readonly #env: Environment;
	readonly #received: (topic: string, data: unknown) => void;
	#channel: BroadcastChannel | undefined;
	#name = "";
	/** Without Web Locks: the tickets for jobs that this tab wants. The lowest wins; who has a job already has ticket 0. */
	readonly #tickets = new Map<string, number>();

	constructor(env: Environment, received: (topic: string, data: unknown) => void) {
		this.#env = env;
		this.#received = received;
	}

	/** `name` holds server and user. */
	join(name: string): void {
		if (name === this.#name) return;
		this.leave();
		this.#name = name;
		this.#channel = this.#env.channel?.(name);
		if (!this.#channel) return;
		this.#channel.onmessage = (e: MessageEvent<{ topic?: unknown; data?: unknown }>) => {
			const { topic, data } = e.data ?? {};
			if (topic === "claim" || topic === "taken") this.#claimed(topic, data as Claim);
			else if (typeof topic === "string") this.#received(topic, data);
		};
	}

	leave(): void {
		this.#channel?.close();
		this.#channel = undefined;
		this.#tickets.clear();
		this.#name = "";
	}

	tell(topic: string, data: unknown): void {
		this.#channel?.postMessage({ topic, data });
	}

	/** See `Client.win`. A loser may ask again when it hears that the winner failed. */
	async win(job: string, signal: AbortSignal): Promise<boolean> {
		const { locks } = this.#env;
		if (!locks) return this.#channel ? this.#claim(job, signal) : true;
		try {
			const release = await acquireIfFree(locks, `${this.#name}:${job}`);
			if (release) releaseAtEnd(release, signal);
			return release !== undefined && !signal.aborted;
		} catch {
			return true; // this page may use no locks, so nobody else is known to have the job
		}
	}

	/** The tabs agree by messages: each says which job it wants, and a tab with a lower ticket objects. */
	async #claim(job: string, signal: AbortSignal): Promise<boolean> {
		if (signal.aborted || this.#tickets.has(job)) return false;
		const ticket = 1 + this.#env.random();
		this.#tickets.set(job, ticket);
		this.tell("claim", { job, ticket } satisfies Claim);
		await sleep(objectionMs, signal).catch(() => {});
		const won = this.#tickets.get(job) === ticket && !signal.aborted;
		if (!won) {
			if (this.#tickets.get(job) === ticket) this.#tickets.delete(job);
			return false;
		}
		this.#tickets.set(job, 0);
		signal.addEventListener("abort", () => this.#tickets.delete(job), { once: true });
		return true;
	}

	#claimed(topic: "claim" | "taken", { job, ticket }: Claim): void {
		const mine = this.#tickets.get(job);
		if (mine === undefined) return;
		if (topic === "claim" && mine < ticket) this.tell("taken", { job, ticket });
		else if (topic === "claim" ? mine > ticket : mine === ticket) this.#tickets.delete(job);
	}

	/** Runs `work` unless another tab runs it now. */
	async inOneTab(job: string, work: () => Promise<void>): Promise<void> {
		const { locks } = this.#env;
		if (!locks) return work();
		await locks.request(`${this.#name}:${job}`, { ifAvailable: true }, async (lock) => {
			if (lock) await work();
		});
	}

	/** Ids of the tabs whose page lives; undefined when that cannot be known. */
	async livingTabs(): Promise<Set<string> | undefined> {
		const snapshot = await this.#env.locks?.query();
		return snapshot && new Set(snapshot.held?.map((l) => l.name?.replace(/^tab:/, "") ?? ""));
	}

	/** Takes a lock for as long as this tab hosts a leg: Chrome freezes no page that has one. */
	hostLock(leg: string, signal: AbortSignal): void {
		ignore(
			acquire(this.#env.locks, `${this.#name}:leg:${leg}`, signal).then((release) =>
				releaseAtEnd(release, signal),
			),
		);
	}
}

function releaseAtEnd(release: () => void, signal: AbortSignal): void {
	if (signal.aborted) release();
	else signal.addEventListener("abort", release, { once: true });
}
