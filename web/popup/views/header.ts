/** Who one talks to, and the ways to call them. */
import { html, nothing, type TemplateResult } from "lit";
import type { Presence } from "../../sdk/index.ts";
import type { Controller } from "../controller.ts";
import { agoLabel } from "../format.ts";
import { icon } from "../icons.ts";
import { avatar } from "./avatar.ts";

export function chatHeader(c: Controller): TemplateResult {
	const { words } = c;
	const face = c.people.face(c.ref);
	const presence = c.people.presence(face);
	return html`<div class="header">
		${backButton(c)} ${avatar(face, "medium", presence?.state)}
		<div class="who">
			<h2 id="title"><bdi>${face.name}</bdi></h2>
			<p class="presence">${typingText(c) ?? presenceText(presence, c)}</p>
		</div>
		${callButtons(c)} ${closeButton(c, words.say("closeChat"))}
	</div>`;
}

export function listHeader(c: Controller): TemplateResult {
	return html`<div class="header">
		<div class="who start"><h2 id="title">${c.words.say("conversations")}</h2></div>
		${closeButton(c, c.words.say("closeChat"))}
	</div>`;
}

/** Only on phones, where the panel covers the round button. */
function closeButton(c: Controller, name: string): TemplateResult {
	const close = () => {
		c.close();
		c.popup.button.focus();
	};
	return html`<button class="button plain only-phone ${c.options.launcher === false ? "always" : ""}" aria-label=${name} @click=${close}>
		${icon("close")}
	</button>`;
}

function backButton(c: Controller): TemplateResult {
	const here = c.transcript?.conversation?.unread ?? 0;
	const elsewhere = Math.max(0, c.getUnread() - here);
	return html`<button
		class="button plain back"
		aria-label=${c.words.say("conversations")}
		aria-describedby=${elsewhere > 0 ? "elsewhere" : nothing}
		@click=${() => c.showList()}
	>
		${icon("back", "mirrored")}
		${elsewhere > 0 ? html`<span class="badge" id="elsewhere" aria-label=${c.words.count("unread", elsewhere)}>${elsewhere > 99 ? "99+" : elsewhere}</span>` : nothing}
	</button>`;
}

function callButtons(c: Controller): TemplateResult | typeof nothing {
	const { client, words, options, ref } = c;
	const { audioCalls = true, videoCalls = true } = options.features ?? {};
	if (!client || !ref || (!audioCalls && !videoCalls)) return nothing;
	const { available } = client.calls;
	if (!available.ok)
		return html`<p class="no-calls">${words.say(available.reason === "calls_need_https" ? "callsNeedHttps" : "callsUnsupported")}</p>`;
	const { screen } = c.calling;
	if (screen.kind === "here" || screen.kind === "pending") return nothing;
	const near = () => void c.panel(true);
	const expanded = c.state.panel.kind === "open" && c.state.panel.devices;
	const button = (name: string, media: "audio" | "video") => html`<button
		class="button plain"
		aria-label=${name}
		@pointerenter=${near}
		@focus=${near}
		@click=${() => c.calling.start(ref, media)}
	>
		${icon(media === "video" ? "video" : "phone")}
	</button>`;
	return html`<div class="call-buttons">
		${audioCalls ? button(words.say("voiceCall"), "audio") : nothing}
		${videoCalls ? button(words.say("videoCall"), "video") : nothing}
		<button
			class="button plain narrow"
			aria-label=${words.say("deviceMenu")}
			aria-expanded=${expanded ? "true" : "false"}
			@pointerenter=${near}
			@focus=${near}
			@click=${() => void c.panel(true).then(() => c.change({ type: "devices" }))}
		>
			${icon("down", expanded ? "turned" : "")}
		</button>
	</div>`;
}

function typingText(c: Controller): TemplateResult | undefined {
	const { transcript, client, words } = c;
	const conversation = transcript?.conversation;
	const [user] = conversation ? (client?.messages.typists(conversation.id) ?? []) : [];
	const name = conversation?.members.find((m) => m.id === user)?.name ?? user;
	return name ? html`<span class="accented">${words.say("typing", { name })}</span>` : undefined;
}

function presenceText(presence: Presence | undefined, c: Controller): string {
	if (!presence) return "";
	if (presence.state === "offline" && presence.last_seen)
		return c.words.say("lastSeen", { when: agoLabel(presence.last_seen, Date.now(), c.words) });
	return c.words.say(presence.state);
}
