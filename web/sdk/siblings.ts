/**
 * The other tabs of this browser profile and user. An accelerator only: what is told here reaches the tabs through the
 * server too, or can be missed.
 */
import type { Environment } from "./environment.ts";
import { hold } from "./tab.ts";
import { ignore } from "./wait.ts";

export class Siblings {
	readonly #env: Environment;
	readonly #heard: (topic: string, data: unknown) => void;
	#channel: BroadcastChannel | undefined;
	#name = "";

	constructor(env: Environment, heard: (topic: string, data: unknown) => void) {
		this.#env = env;
		this.#heard = heard;
	}

	/** `name` holds server and user. */
	join(name: string): void {
		if (name === this.#name) return;
		this.leave();
		this.#name = name;
		this.#channel = this.#env.channel?.(name);
		if (!this.#channel) return;
		this.#channel.onmessage = (e: MessageEvent<{ topic?: unknown; data?: unknown }>) => {
			if (typeof e.data?.topic === "string") this.#heard(e.data.topic, e.data.data);
		};
	}

	leave(): void {
		this.#channel?.close();
		this.#channel = undefined;
		this.#name = "";
	}

	tell(topic: string, data: unknown): void {
		this.#channel?.postMessage({ topic, data });
	}

	/** See `Client.win`. A loser may ask again when it hears that the winner failed. */
	async win(job: string, signal: AbortSignal): Promise<boolean> {
		const { locks } = this.#env;
		if (!locks) return true;
		return new Promise((resolve) => {
			ignore(
				locks
					.request(`${this.#name}:${job}`, { ifAvailable: true }, (lock) => {
						resolve(lock !== null && !signal.aborted);
						if (!lock || signal.aborted) return;
						return new Promise<void>((release) =>
							signal.addEventListener("abort", () => release(), { once: true }),
						);
					})
					.catch(() => resolve(true)),
			);
		});
	}

	/** Runs `work` in one tab at a time; the others do not wait but leave it. */
	async alone(job: string, work: () => Promise<void>): Promise<void> {
		const { locks } = this.#env;
		if (!locks) return work();
		await locks.request(`${this.#name}:${job}`, { ifAvailable: true }, async (lock) => {
			if (lock) await work();
		});
	}

	/** Tab ids whose page lives; undefined when that cannot be known. */
	async alive(): Promise<Set<string> | undefined> {
		const held = await this.#env.locks?.query();
		return held && new Set(held.held?.map((l) => l.name?.replace(/^tab:/, "") ?? ""));
	}

	/** A lock for as long as this tab hosts a call: Chrome does not freeze who holds one. */
	hostLock(leg: string, signal: AbortSignal): void {
		ignore(
			hold(this.#env.locks, `${this.#name}:leg:${leg}`, signal).then((drop) => {
				if (signal.aborted) drop();
				else signal.addEventListener("abort", drop, { once: true });
			}),
		);
	}
}
