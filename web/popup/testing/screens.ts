/** For tests: what there is to see, with little on it. */
import type { Row } from "../../sdk/index.ts";
import { itemsOf } from "../rows.ts";
import type { ChatPanel, Screen } from "../screen.ts";
import { calls } from "../strings/en.calls.ts";
import { addEnglish, Words } from "../strings/index.ts";

addEnglish(calls); // as the part does

export const noon = new Date(2026, 10, 21, 12).getTime();
export const position = {
	atEnd: true,
	unseen: 0,
	rovingKey: undefined,
	scrolled() {},
	toEnd() {},
	focused() {},
};

export function screen(more: Partial<Screen> = {}): Screen {
	return {
		words: new Words(),
		now: noon,
		clock: 60_000,
		panel: undefined,
		rings: [],
		call: { kind: "none" },
		faces: new Map(),
		notice: undefined,
		problem: undefined,
		menu: undefined,
		speaker: "",
		soundBlocked: false,
		...more,
	};
}

export function chat(rows: Row[] = [], more: Partial<ChatPanel> = {}): ChatPanel {
	return {
		kind: "chat",
		ref: { to: "bob" },
		face: { id: "bob", name: "Bob" },
		presence: undefined,
		typing: undefined,
		unreadElsewhere: 0,
		callButtons: { kind: "ready", audio: true, video: true },
		staged: false,
		large: false,
		connection: undefined,
		stopped: false,
		closeButton: false,
		devices: false,
		draft: "",
		card: undefined,
		log: {
			key: "to:bob",
			conversation: "c",
			newest: rows.length,
			items: itemsOf(rows, "me"),
			loading: false,
			more: false,
			typing: false,
			group: false,
			names: new Map(),
			server: "https://chat.example",
			callBack: { to: "bob" },
		},
		...more,
	};
}
