/**
 * Tells the server how far this device has got: up to where it has others' messages, and up to where they were shown. What
 * came together goes together, at most once a second, and is said again until the server has answered.
 */
import { Refusal, Unanswered } from "./errors.ts";
import type { TabSocket } from "./socket.ts";
import { sleep } from "./wait.ts";
import type { Marks } from "./wire.gen.ts";

/** What comes so soon after a mark goes with it. */
const togetherMs = 150;
const apartMs = 1000;
/** So many conversations go in one request. */
const most = 100;

export class MarkSender {
	readonly #socket: TabSocket;
	/** By conversation: what the server has not confirmed. */
	readonly #waiting = new Map<string, Marks>();
	/** By conversation: what it has. */
	readonly #confirmed = new Map<string, Marks>();
	#running = false;
	#sentAt = Number.NEGATIVE_INFINITY;
	#life = new AbortController();

	constructor(socket: TabSocket) {
		this.#socket = socket;
	}

	delivered(conversation: string, seq: number): void {
		this.#move(conversation, { delivered: seq, read: 0 });
	}

	read(conversation: string, seq: number): void {
		this.#move(conversation, { delivered: seq, read: seq });
	}

	/** Another user speaks here now, or nobody. */
	clear(): void {
		this.#life.abort();
		this.#life = new AbortController();
		this.#waiting.clear();
		this.#confirmed.clear();
		this.#running = false;
	}

	/** After each welcome. `diverged`: the numbers of messages may mean others now. What was read and is there is unread again. */
	greeted(diverged: boolean): void {
		if (diverged) this.clear();
		void this.#run();
	}

	#move(conversation: string, to: Marks): void {
		const known = later(this.#waiting.get(conversation), this.#confirmed.get(conversation));
		const marks = later(known, to);
		if (marks.delivered === known.delivered && marks.read === known.read) return;
		this.#waiting.set(conversation, marks);
		void this.#run();
	}

	async #run(): Promise<void> {
		if (this.#running || this.#waiting.size === 0) return;
		this.#running = true;
		const life = this.#life.signal;
		try {
			while (this.#waiting.size > 0) {
				await sleep(Math.max(togetherMs, this.#sentAt + apartMs - performance.now()), life);
				await this.#socket.untilGreeted(life);
				await this.#send(life);
			}
		} catch (err) {
			// Signed out, or the connection has stopped: the next welcome goes on.
			if (!life.aborted && !(err instanceof Unanswered)) throw err;
		} finally {
			if (!life.aborted) this.#running = false;
		}
	}

	async #send(life: AbortSignal): Promise<void> {
		const sent = [...this.#waiting].slice(0, most);
		this.#sentAt = performance.now();
		try {
			await this.#socket.request("marks.set", { marks: Object.fromEntries(sent) }, life);
		} catch (err) {
			if (err instanceof Unanswered) return;
			if (!(err instanceof Refusal)) throw err;
			if (err.temporary) return await sleep(err.retryMs || apartMs, life);
			// It would be refused again.
		}
		for (const [conversation, marks] of sent) {
			this.#confirmed.set(conversation, later(this.#confirmed.get(conversation), marks));
			if (this.#waiting.get(conversation) === marks) this.#waiting.delete(conversation);
		}
	}
}

/** The later of both, each mark by itself. */
export function later(a: Marks | undefined, b: Marks | undefined): Marks {
	return {
		delivered: Math.max(a?.delivered ?? 0, b?.delivered ?? 0),
		read: Math.max(a?.read ?? 0, b?.read ?? 0),
	};
}
