/** The panel: header, bars, call, transcript or list, composer. */
import { html, nothing, type TemplateResult } from "lit";
import type { Actions } from "../actions.ts";
import type { ChatPanel, ListPanel, Screen } from "../screen.ts";
import { callBar, connectionBar, notices } from "./bars.ts";
import { composer } from "./composer.ts";
import type { devicesView } from "./devices.ts";
import { chatHeader, listHeader } from "./header.ts";
import { list } from "./list.ts";
import type { stageView } from "./stage.ts";
import { type LogPosition, transcript } from "./transcript.ts";

/** What the element brings along. */
export interface PanelContext {
	/** Views of the call part, once it is loaded. */
	readonly call: { devicesView: typeof devicesView; stageView: typeof stageView } | undefined;
	readonly log: LogPosition;
	/** A message was sent. */
	sent(): void;
}

export function panelView(
	screen: Screen,
	panel: ListPanel | ChatPanel,
	actions: Actions,
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
		${staged ? (context.call?.stageView(screen, panel, actions) ?? nothing) : callBar(screen, actions)}
		<div class="body">
			${panel.devices && !staged ? (context.call?.devicesView(words, panel.devices, actions) ?? nothing) : nothing}
			${notices(screen, actions)}
			${panel.kind === "chat" ? transcript(screen, panel, actions, context.log) : list(screen, panel, actions)}
			${panel.kind === "chat" && !panel.stopped ? composer(words, panel.draft, actions, context.sent) : nothing}
		</div>
	</section>`;
}
