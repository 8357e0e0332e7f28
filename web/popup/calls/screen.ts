/** Derives what there is to see of calls from the state of the popup and of the SDK. */
import type { CallView, Client, ParticipantView, Ring } from "../../sdk/index.ts";
import type { Face, People } from "../people.ts";
import { deviceText, problemText } from "../problems.ts";
import { impossible } from "../screen.ts";
import type { State } from "../state.ts";
import type { Words } from "../strings/index.ts";
import type { Devices } from "./devices.ts";
import {
	type CallProblem,
	type CallScreen,
	type CallsShown,
	clicked,
	type DeviceMenu,
	type RingCard,
} from "./shown.ts";
import { namesOf } from "./words.ts";

/** What it is derived from. */
export interface CallFacts {
	readonly state: State;
	readonly words: Words;
	readonly client: Client | undefined;
	readonly people: People;
	/** Calls and rings that this popup shows. */
	readonly views: readonly CallView[];
	readonly rings: readonly Ring[];
	readonly devices: Devices;
	/** What the preview of the devices shows, while the menu is open. */
	readonly preview: Pick<DeviceMenu, "level" | "problem" | "found"> & {
		readonly stream: MediaStream | undefined;
	};
	readonly soundBlocked: boolean;
}

export function callsShown(s: CallFacts): CallsShown {
	const { state, words } = s;
	const { panel } = state;
	const call = callScreen(s.views, state.pending);
	return {
		rings: guestsLast(s.rings).map((ring) => ringCard(s, ring)),
		call,
		faces: facesOf(s),
		problem: problemOf(call, state, words),
		menu: panel.kind === "open" && panel.devices && s.client ? deviceMenu(s, call) : undefined,
		speaker: s.devices.speaker ?? "",
		soundBlocked: s.soundBlocked,
	};
}

export function callScreen(views: readonly CallView[], pending: State["pending"]): CallScreen {
	const here = views.filter((view) => view.here && view.leg);
	const shown = here.find((view) => !view.leg?.held) ?? here[0];
	if (pending.kind === "starting" && !shown) return clicked(pending);
	if (
		pending.kind !== "none" &&
		pending.kind !== "starting" &&
		!here.some((view) => view.id === idOf(pending))
	)
		return clicked(pending);
	if (shown?.leg)
		return { kind: "here", view: shown, leg: shown.leg, held: here.filter((view) => view !== shown) };
	const elsewhere = views.find((view) => !view.here);
	return elsewhere ? { kind: "elsewhere", view: elsewhere } : { kind: "none" };
}

function idOf(pending: Exclude<State["pending"], { kind: "none" | "starting" }>): string {
	return pending.kind === "answering" ? pending.ring.id : pending.call;
}

function problemOf(call: CallScreen, state: State, words: Words): CallProblem | undefined {
	if (call.kind !== "here") return undefined;
	const { problem, refused } = call.leg;
	const open = (cause: object | undefined) => cause && !state.dismissedProblems.includes(cause);
	if (problem && open(problem))
		return { cause: problem, text: deviceText(problem.source, problem.reason, words) };
	const text = open(refused) && problemText(refused, words);
	return refused && text ? { cause: refused, text } : undefined;
}

/** However many guests ring, whom the site vouches for is found at the top. */
function guestsLast(rings: readonly Ring[]): Ring[] {
	return [...rings].sort((a, b) => Number(a.from.guest ?? false) - Number(b.from.guest ?? false));
}

function ringCard({ client, state, words }: CallFacts, ring: Ring): RingCard {
	const held = client?.calls.views.find((view) => view.phase !== "held");
	return {
		ring,
		impossible: impossible(client),
		problem: state.ringProblem?.call === ring.id ? state.ringProblem : undefined,
		holds: held && namesOf(held.others, words),
	};
}

function deviceMenu({ preview, devices }: CallFacts, call: CallScreen): DeviceMenu {
	const inCall = call.kind === "here";
	const { level, problem, found } = preview;
	const seen = inCall ? call.leg.preview : preview.stream;
	return {
		inCall,
		picture: seen?.getVideoTracks().length ? seen : undefined,
		level,
		problem,
		found,
		chosen: devices,
	};
}

function facesOf({ client, people, views, rings, state }: CallFacts): ReadonlyMap<string, Face> {
	const faces = new Map<string, Face>();
	const add = (conversation: string, p: Pick<ParticipantView, "user" | "name" | "guest">) => {
		const known = client?.conversations.get(conversation);
		const face = known && people.faceOf(known);
		const unknown = { id: p.user, name: p.name || p.user, ...(p.guest && { guest: true }) };
		faces.set(p.user, face?.id === p.user ? face : unknown);
	};
	for (const view of views) for (const other of view.others) add(view.call.conversation, other);
	for (const ring of rings) add(ring.call.conversation, ring.from);
	if (state.pending.kind === "answering") add(state.pending.ring.call.conversation, state.pending.ring.from);
	return faces;
}
