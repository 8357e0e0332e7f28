/** How a ring gets the attention of someone who looks elsewhere. */
import type { Client, Ring } from "../../sdk/index.ts";
import { type AlertContext, notify, sleep } from "../alerts.ts";
import { headStart, tabState } from "../election.ts";
import type { Words } from "../strings/index.ts";

/** Shows who calls until the signal aborts, unless this tab has the focus or another tab was quicker. */
export async function tellRing(
	client: Client,
	ring: Ring,
	context: AlertContext,
	signal: AbortSignal,
): Promise<void> {
	if (document.hasFocus() || ring.waiting) return;
	await sleep(headStart(tabState()));
	if (signal.aborted || !(await client.win(`notifier ${ring.id}`, signal).catch(() => true))) return;
	const key = ring.media === "video" ? "incomingVideo" : "incomingVoice";
	const shown = notify(context, context.words.say(key, { name: caller(ring, context.words) }), {
		tag: ring.id,
		requireInteraction: true,
	});
	shown?.addEventListener("click", () => context.show(ring.call.conversation));
	signal.addEventListener("abort", () => shown?.close());
}

/** Who rings, in a text. */
export function caller({ from }: Ring, words: Words): string {
	return words.called({ name: from.name || from.user, guest: from.guest });
}

/** Shows in the title who calls, in turn with the title itself, until the signal aborts. */
export function flashTitle(text: string, signal: AbortSignal): void {
	let shown: string | undefined;
	const turn = () => {
		if (shown !== undefined && document.title === text) document.title = shown;
		else {
			shown = document.title;
			document.title = text;
		}
	};
	turn();
	const timer = setInterval(turn, 1000);
	signal.addEventListener("abort", () => {
		clearInterval(timer);
		if (shown !== undefined && document.title === text) document.title = shown;
	});
}
