/** Messages that I have removed for myself alone, of those that this tab was told of: pages leave them out by themselves. */
import type { OwnStore } from "./own.ts";
import type { Hidden } from "./wire.gen.ts";

export class HiddenMessages implements OwnStore<Hidden> {
	readonly #seqs = new Map<string, Set<number>>();
	readonly #changed: (conversation: string) => void;

	constructor(changed: (conversation: string) => void) {
		this.#changed = changed;
	}

	has(conversation: string, seq: number): boolean {
		return this.#seqs.get(conversation)?.has(seq) ?? false;
	}

	apply({ conversation, seq }: Hidden): void {
		const seqs = this.#seqs.get(conversation) ?? new Set();
		this.#seqs.set(conversation, seqs.add(seq));
		this.#changed(conversation);
	}

	/** What was removed once stays so. */
	only(): void {}

	clear(): void {
		this.#seqs.clear();
	}
}
