import { expect, test } from "vitest";
import { titleWithCount } from "./badge.ts";
import { headStart } from "./election.ts";
import { fromDataset } from "./options.ts";
import { type Change, initial, next, type State } from "./state.ts";
import { initials } from "./views/avatar.ts";

const after = (state: State, ...changes: Change[]) => changes.reduce(next, state);

test("it opens where the destination is, else with the list", () => {
	expect(initial("bob").panel).toEqual({ kind: "closed", place: { kind: "chat", ref: { to: "bob" } } });
	expect(initial(undefined).panel.place).toEqual({ kind: "list" });
});

test("closing keeps the conversation and shrinks the call", () => {
	const place = { kind: "chat", ref: { conversation: "c" } } as const;
	const state = after(
		initial(undefined),
		{ type: "open" },
		{ type: "show", place },
		{ type: "resize" },
		{ type: "close" },
	);
	expect(state.panel).toEqual({ kind: "closed", place });
	expect(state.large).toBe(false);
	expect(after(state, { type: "open" }).panel).toEqual({ kind: "open", place, devices: false });
});

test("what changes nothing is the same state, so nothing is drawn for it", () => {
	const closed = initial("bob");
	expect(next(closed, { type: "close" })).toBe(closed);
	expect(next(closed, { type: "devices" })).toBe(closed);
	const open = next(closed, { type: "open" });
	expect(next(open, { type: "open" })).toBe(open);
});

test("a notice is dismissed by its own timer only while it is the newest", () => {
	const one = { kind: "status", text: "1" } as const;
	const two = { kind: "status", text: "2" } as const;
	const state = after(initial("bob"), { type: "notice", notice: one }, { type: "notice", notice: two });
	expect(next(state, { type: "dismiss", notice: one }).notice).toBe(two);
	expect(next(state, { type: "dismiss", notice: two }).notice).toBeUndefined();
});

test("a click on a call button closes the device menu and the last error", () => {
	const error = { kind: "error", text: "x" } as const;
	const state = after(
		initial("bob"),
		{ type: "open" },
		{ type: "devices" },
		{ type: "notice", notice: error },
		{
			type: "pending",
			pending: { kind: "starting", ref: { to: "bob" }, media: "video" },
		},
	);
	expect(state.panel).toMatchObject({ kind: "open", devices: false });
	expect(state.notice).toBeUndefined();
	expect(next(state, { type: "settled" }).pending).toEqual({ kind: "none" });
});

test("the focused tab rings before the visible, that before the clicked, that before the rest", () => {
	const waits = [
		{ focused: true, visible: true, clicked: true },
		{ focused: false, visible: true, clicked: true },
		{ focused: false, visible: false, clicked: true },
		{ focused: false, visible: false, clicked: false },
	].map(headStart);
	expect(waits).toEqual(waits.toSorted((a, b) => a - b));
	expect(new Set(waits).size).toBe(4);
});

test("the count in the title never piles up", () => {
	expect(titleWithCount("Shop", 3)).toBe("(3) Shop");
	expect(titleWithCount("(3) Shop", 4)).toBe("(4) Shop");
	expect(titleWithCount("(99+) Shop", 0)).toBe("Shop");
	expect(titleWithCount("Shop", 120)).toBe("(99+) Shop");
	expect(titleWithCount("(draft) Shop", 1)).toBe("(1) (draft) Shop");
});

test("attributes of the script tag are options", () => {
	expect(
		fromDataset({
			destination: "42",
			zIndex: "5",
			launcher: "false",
			theme: '{"mode":"dark"}',
			name: "true",
			picture: "{broken}",
		}),
	).toEqual({
		destination: "42",
		zIndex: 5,
		launcher: false,
		theme: { mode: "dark" },
		name: "true",
		picture: "{broken}",
	});
});

test("initials are of whole letters", () => {
	expect([
		initials("Ada Lovelace"),
		initials("bob"),
		initials("émile  van der zola"),
		initials(""),
		initials("👩‍💻 x"),
	]).toEqual(["AL", "B", "ÉZ", "", "👩‍💻X"]);
});
