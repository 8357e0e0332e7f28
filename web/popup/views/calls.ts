/** All that is drawn of calls. */
import { nothing } from "lit/html.js";
import type { Actions } from "../actions.ts";
import { ticks } from "../calls/words.ts";
import type { ChatPanel, Screen } from "../screen.ts";
import { callStyles } from "../styles/call.ts";
import { callBarStyles } from "../styles/callbars.ts";
import { ringStyles } from "../styles/ring.ts";
import { callBar } from "./callbars.ts";
import { devicesView } from "./devices.ts";
import type { CallDrawing } from "./drawing.ts";
import { ringsView } from "./ring.ts";
import { playRefused, soundView } from "./sound.ts";
import { stageView } from "./stage.ts";

export function drawCalls(screen: Screen, actions: Actions): CallDrawing {
	const { call, menu, words } = screen;
	return {
		styles: [callBarStyles, ringStyles, callStyles],
		ticking: call.kind === "elsewhere" || (call.kind === "here" && ticks(call.view)),
		rings: () => ringsView(screen, actions),
		stage: (chat: ChatPanel) => stageView(screen, chat, actions),
		bar: () => callBar(screen, actions),
		devices: () => (menu ? devicesView(words, menu, actions) : nothing),
		sound: () => soundView(screen, actions),
		playRefused: (root) => {
			if (screen.soundBlocked) playRefused(root, actions);
		},
	};
}
