/** The panel: header, bars, call, transcript or list, composer. */
import { html, nothing, type TemplateResult } from "lit";
import type { Controller } from "../controller.ts";
import type { CarillonPopup } from "../element.ts";
import { callBar, connectionBar, noticeBar } from "./bars.ts";
import { composer } from "./composer.ts";
import { chatHeader, listHeader } from "./header.ts";
import { list } from "./list.ts";
import { transcript } from "./transcript.ts";

export function panelView(c: Controller, element: CarillonPopup): TemplateResult {
	const { panel, large } = c.state;
	const { screen } = panel;
	const call = c.calling.screen;
	const staged = screen.kind === "chat" && stagedHere(c);
	const devices = panel.kind === "open" && panel.devices;
	return html`<section
		class="panel ${staged ? "in-call" : ""} ${staged && large ? "large" : ""}"
		role="dialog"
		aria-labelledby="title"
		tabindex="-1"
	>
		${screen.kind === "chat" ? chatHeader(c) : listHeader(c)}
		${devices ? (c.calling.part?.devicesView(c) ?? nothing) : nothing}
		${connectionBar(c)}
		${staged ? (c.calling.part?.stageView(c, call) ?? nothing) : callBar(c, call)}
		<div class="body">
			${noticeBar(c)} ${screen.kind === "chat" ? transcript(c, element) : list(c)}
			${screen.kind === "chat" ? composer(c, element) : nothing}
		</div>
	</section>`;
}

/** The call on screen belongs to the conversation on screen. */
function stagedHere(c: Controller): boolean {
	const call = c.calling.screen;
	if (call.kind === "pending") return true;
	return call.kind === "here" && call.view.call.conversation === c.transcript?.conversation?.id;
}
