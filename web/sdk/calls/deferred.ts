/**
 * The calls of this user before anything of a call is loaded: most pages see none. What the server tells of calls is kept, and
 * fetches the store (`calls.ts`), which then hears it as if it had been there. Nothing of the store is imported here.
 */
import { get, remove } from "../storage.ts";
import type {
	AnswerParams,
	Calls,
	CallsAvailable,
	CallView,
	ConversationRef,
	Leg,
	Ring,
	StartParams,
} from "../types.ts";
import { ignore } from "../wait.ts";
import type { CallChange, LegEnd, Slots, Speaker } from "../wire.gen.ts";
import { available } from "./available.ts";
import type { CallsOfClient, ClientCalls, MakeCalls } from "./context.ts";

export class DeferredCalls implements ClientCalls {
	readonly #o: CallsOfClient;
	readonly #fetch: () => Promise<MakeCalls>;
	#store: ClientCalls | undefined;
	#loading: Promise<ClientCalls> | undefined;
	/** What was told since the greeting began, for the store to come. */
	#kept: { readonly change: CallChange; readonly at: number }[] = [];
	#closed = false;

	/** `fetch` brings what makes the store. */
	constructor(o: CallsOfClient, fetch: () => Promise<MakeCalls>) {
		this.#o = o;
		this.#fetch = fetch;
	}

	/** Fetches the store, unless it is here. */
	load(): Promise<ClientCalls> {
		this.#loading ??= this.#fetch().then(
			(make) => this.#loaded(make),
			(err) => {
				this.#loading = undefined; // the next change of a call tries again, or the next click
				throw err;
			},
		);
		return this.#loading;
	}

	get available(): CallsAvailable {
		return available(this.#o.env);
	}

	get rings(): readonly Ring[] {
		return this.#store?.rings ?? [];
	}

	get views(): readonly CallView[] {
		return this.#store?.views ?? [];
	}

	get legs(): readonly Leg[] {
		return this.#store?.legs ?? [];
	}

	get active(): Leg | undefined {
		return this.#store?.active;
	}

	async prepare(signal?: AbortSignal): Promise<void> {
		return (await this.load()).prepare(signal);
	}

	async start(ref: ConversationRef, p: StartParams): Promise<Leg> {
		return (await this.load()).start(ref, p);
	}

	async answer(call: string, p?: AnswerParams): Promise<Leg> {
		return (await this.load()).answer(call, p);
	}

	async moveHere(call: string, p?: AnswerParams): Promise<Leg> {
		return (await this.load()).moveHere(call, p);
	}

	async decline(call: string, signal?: AbortSignal): Promise<void> {
		return (await this.load()).decline(call, signal);
	}

	silence(call: string): void {
		this.#store?.silence(call);
	}

	async hangUp(call: string, signal?: AbortSignal): Promise<void> {
		return (await this.load()).hangUp(call, signal);
	}

	async setMicrophone(call: string, on: boolean): Promise<void> {
		return (await this.load()).setMicrophone(call, on);
	}

	async setHeld(call: string, held: boolean): Promise<void> {
		return (await this.load()).setHeld(call, held);
	}

	async setHandRaised(call: string, raised: boolean): Promise<void> {
		return (await this.load()).setHandRaised(call, raised);
	}

	async devices(): Promise<MediaDeviceInfo[]> {
		return (await this.load()).devices();
	}

	async preview(p: Parameters<Calls["preview"]>[0]): Promise<MediaStream> {
		return (await this.load()).preview(p);
	}

	welcomed(): void {
		this.#kept = []; // the greeting has all live calls
		this.#store?.welcomed();
	}

	synced(): void {
		if (this.#store) return this.#store.synced();
		const { env, storageKey } = this.#o;
		// A call was hosted by the page before this one.
		if (get(env.sessionStorage, storageKey())) ignore(this.load());
	}

	apply(change: CallChange, waitedMs = 0): void {
		if (this.#store) return this.#store.apply(change, waitedMs);
		this.#kept.push({ change, at: performance.now() - waitedMs });
		ignore(this.load());
	}

	notification(method: "slots" | "speaker" | "leg.end", params: Slots | Speaker | LegEnd): void {
		this.#store?.notification(method, params);
	}

	siblingTold(topic: string, data: unknown): void {
		this.#store?.siblingTold(topic, data);
	}

	suspend(): void {
		this.#store?.suspend();
	}

	clear(): void {
		this.#kept = [];
		if (this.#store) this.#store.clear();
		else remove(this.#o.env.sessionStorage, this.#o.storageKey());
	}

	close(): void {
		this.#closed = true;
		this.#store?.close();
	}

	/** The store hears what was kept. A ring of it may be followed by its end, so that none is shown before all is heard. */
	#loaded(make: MakeCalls): ClientCalls {
		const { present } = this.#o;
		let heard = false;
		const store = make({ ...this.#o, present: () => heard && present() });
		this.#store = store;
		if (this.#closed) {
			store.close();
			return store;
		}
		for (const { change, at } of this.#kept.splice(0)) store.apply(change, performance.now() - at);
		heard = true;
		if (present()) store.synced();
		return store;
	}
}
