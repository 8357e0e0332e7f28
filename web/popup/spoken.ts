/** What a message says in words: its text, or what stands for it where there is none, or none that can be shown here. */
import type { Message } from "../sdk/index.ts";
import type { Words } from "./strings/index.ts";

export interface Spoken {
	readonly text: string;
	/** It is not what was written. */
	readonly standIn: boolean;
}

export function spoken({ gone, kind, text = "", data }: Message, words: Words): Spoken {
	if (gone)
		return { text: words.say(gone === "removed" ? "removedMessage" : "recalledMessage"), standIn: true };
	const lines = kind === "rich" ? [...richLines(data), text] : [text];
	const said = lines.filter((line) => line !== "").join("\n");
	return said === "" && kind !== "text"
		? { text: words.say("unknownMessage"), standIn: true }
		: { text: said, standIn: false };
}

function richLines(data: unknown): string[] {
	const { title = "", fields = [] } = (data ?? {}) as {
		title?: string;
		fields?: { name: string; value: string }[];
	};
	return [title, ...fields.map(({ name, value }) => `${name}: ${value}`)];
}
