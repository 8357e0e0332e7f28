/** The panel: header, bars, call, transcript or list, composer. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { PanelActions } from "../actions.ts";
import type { Part } from "../part.ts";
import type { ChatPanel, ListPanel, Screen } from "../screen.ts";
import type { Words } from "../strings/index.ts";
import { connectionBar, notices } from "./bars.ts";
import { composer, draftCard } from "./composer.ts";
import type { CallDrawing } from "./drawing.ts";
import { chatHeader, listHeader } from "./header.ts";
import { partView } from "./part.ts";
import { type LogPosition, transcript } from "./transcript.ts";

/** What the element brings along. */
export interface PanelContext {
	/** The call part; undefined while there can be no call. */
	readonly callPart: Part<unknown> | undefined;
	/** What it draws, once it is here. */
	readonly call: CallDrawing | undefined;
	/** The part with the list of conversations. */
	readonly list: Part<unknown>;
	readonly log: LogPosition;
	/** A message was sent. */
	sent(): void;
}

export function panelView(
	screen: Screen,
	panel: ListPanel | ChatPanel,
	actions: PanelActions,
	context: PanelContext,
): TemplateResult {
	const { words } = screen;
	const staged = panel.kind === "chat" && panel.staged;
	const large = staged && panel.large;
	return html`<section
		class="panel ${staged ? "in-call" : ""} ${large ? "large" : ""}"
		role="dialog"
		aria-labelledby="title"
		tabindex="-1"
	>
		${panel.kind === "chat" ? chatHeader(screen, panel, actions) : listHeader(screen, panel, actions)}
		${connectionBar(words, panel.connection)}
		${staged ? stage(words, panel, context) : (context.call?.bar() ?? nothing)}
		<div class="body">
			${staged ? nothing : (context.call?.devices() ?? nothing)}
			${notices(screen, actions)}
			${
				panel.kind === "chat"
					? transcript(screen, panel, actions, context.log)
					: partView(
							words,
							context.list,
							() =>
								html`<carillon-conversations .screen=${screen} .panel=${panel} .actions=${actions}></carillon-conversations>`,
						)
			}
			${panel.kind === "chat" && panel.card && panel.log.server !== undefined ? draftCard(words, panel.card, panel.log.server, actions) : nothing}
			${panel.kind === "chat" && !panel.stopped ? composer(words, panel.draft, actions, context.sent) : nothing}
		</div>
	</section>`;
}

/** A click shows at once, also before there is what draws calls. */
function stage(words: Words, chat: ChatPanel, { call, callPart }: PanelContext): unknown {
	if (call) return call.stage(chat);
	return callPart ? partView(words, callPart, () => nothing) : nothing;
}
