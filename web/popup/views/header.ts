/** Who one talks to, and the ways to call them. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { PanelActions } from "../actions.ts";
import { agoLabel } from "../format.ts";
import { icon } from "../icons.ts";
import type { ChatPanel, ListPanel, Screen } from "../screen.ts";
import { avatar } from "./avatar.ts";
import { guestMark } from "./name.ts";

export function chatHeader(screen: Screen, chat: ChatPanel, actions: PanelActions): TemplateResult {
	const { words } = screen;
	const { face, presence, typing } = chat;
	return html`<div class="header">
		${backButton(screen, chat, actions)} ${avatar(face, "medium", presence?.state)}
		<div class="who">
			<h2 id="title" class=${face.name.length > 18 ? "long" : ""} title=${face.name}><bdi>${face.name}</bdi></h2>
			<p class="presence">${face.guest ? html`${guestMark(words)} ` : nothing}${typing ? html`<span class="accented">${words.say("typing", { name: typing })}</span>` : presenceText(screen, chat)}</p>
		</div>
		${callButtons(screen, chat, actions)} ${closeButton(screen, chat, actions)}
	</div>`;
}

export function listHeader(screen: Screen, panel: ListPanel, actions: PanelActions): TemplateResult {
	return html`<div class="header">
		<div class="who start"><h2 id="title">${screen.words.say("conversations")}</h2></div>
		${closeButton(screen, panel, actions)}
	</div>`;
}

/** On phones, where the panel covers the round button, and wherever that button is not shown. */
function closeButton({ words }: Screen, panel: ListPanel | ChatPanel, actions: PanelActions): TemplateResult {
	return html`<button class="button plain only-phone ${panel.closeButton ? "always" : ""}" aria-label=${words.say("closeChat")} @click=${() => actions.close()}>
		${icon("close")}
	</button>`;
}

function backButton(
	{ words }: Screen,
	{ unreadElsewhere: count }: ChatPanel,
	actions: PanelActions,
): TemplateResult {
	return html`<button
		class="button plain back ${count > 0 ? "counted" : ""}"
		aria-label=${words.say("conversations")}
		aria-describedby=${count > 0 ? "elsewhere" : nothing}
		@click=${() => actions.showList()}
	>
		${icon("back", "mirrored")}
		${count > 0 ? html`<span class="badge" id="elsewhere" aria-label=${words.count("unread", count)}>${count > 99 ? "99+" : count}</span>` : nothing}
	</button>`;
}

function callButtons(
	{ words }: Screen,
	chat: ChatPanel,
	actions: PanelActions,
): TemplateResult | typeof nothing {
	const { callButtons: offered, ref } = chat;
	if (offered.kind === "none") return nothing;
	if (offered.kind === "impossible") return html`<p class="no-calls">${words.say(offered.why)}</p>`;
	const expanded = chat.devices;
	const near = () => actions.nearCall();
	const button = (name: string, media: "audio" | "video") => html`<button
		class="button plain"
		aria-label=${name}
		@pointerenter=${near}
		@focus=${near}
		@click=${() => actions.start(ref, media)}
	>
		${icon(media === "video" ? "video" : "phone")}
	</button>`;
	return html`<div class="call-buttons">
		${offered.audio ? button(words.say("voiceCall"), "audio") : nothing}
		${offered.video ? button(words.say("videoCall"), "video") : nothing}
		<button
			class="button plain narrow"
			aria-label=${words.say("deviceMenu")}
			aria-expanded=${expanded ? "true" : "false"}
			@pointerenter=${near}
			@focus=${near}
			@click=${() => actions.toggleDevices()}
		>
			${icon("down", expanded ? "turned" : "")}
		</button>
	</div>`;
}

function presenceText({ words, now }: Screen, { presence, face }: ChatPanel): string {
	if (face.count !== undefined) return words.count("members", face.count);
	if (!presence) return "";
	if (presence.state === "offline" && presence.last_seen)
		return words.say("lastSeen", { when: agoLabel(presence.last_seen, now, words) });
	return words.say(presence.state);
}
