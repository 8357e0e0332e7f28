import{e as T,g as j,i as V}from"./chunk-WZPGT5X4.js";import{a as x,b as s,d,f as u,l as y,m as v,p as D,q as b,r as M,s as h}from"./chunk-5MX3KXJK.js";import{h as g,i as R,j as A,k as C}from"./chunk-OSARB2LB.js";import"./chunk-YX3OTCCH.js";import"./chunk-7X7STS6Y.js";import"./chunk-FKJG5VM7.js";import{d as S}from"./chunk-TWSAUPSQ.js";import"./chunk-GJJWH3U2.js";var $=class{stream;problem;found=[];level=0;#i;#e;#a=new AbortController;#t;constructor(o,t){this.#i=o,this.#e=t}async use(o,t){this.#t?.abort();let a=new AbortController;this.#t=a;let i=AbortSignal.any([a.signal,this.#a.signal]);this.stream=this.problem=void 0,t&&await this.#o(o,i);let r=await this.#i.calls.devices().catch(()=>[]);i.aborted||(this.found=r,this.#e())}close(){this.#a.abort(),this.stream=void 0}async#o(o,t){let a=T(o),i=r=>this.#i.calls.preview({...r,devices:a,signal:t});try{this.stream=await i({camera:!0,microphone:!0})}catch(r){if(t.aborted)return;r instanceof S&&(this.problem={source:r.source,reason:r.reason});let l=this.problem?.source==="camera"?{camera:!1,microphone:!0}:{camera:!0,microphone:!1};this.stream=await i(l).catch(()=>{})}!t.aborted&&this.stream?.getAudioTracks().length&&this.#r(this.stream,t),t.aborted||this.#e()}#r(o,t){let a=new AudioContext,i=new AnalyserNode(a,{fftSize:512});a.createMediaStreamSource(o).connect(i);let r=new Float32Array(i.fftSize),l=setInterval(()=>{i.getFloatTimeDomainData(r);let n=r.reduce((c,p)=>c+p*p,0)/r.length;this.level=Math.max(0,Math.min(1,(10*Math.log10(n+1e-9)+60)/50)),this.#e()},120);t.addEventListener("abort",()=>{clearInterval(l),a.close()})}};var O=x`
	.rings {
		display: grid;
		grid-template-columns: minmax(0, 1fr);
		gap: var(--s2);
	}
	.ring {
		display: grid;
		/* A long name must not make the card wider than its place. */
		grid-template-columns: minmax(0, 1fr);
		gap: var(--s3);
		padding: var(--s4);
		border-radius: var(--radius);
		background: var(--bg);
		box-shadow: var(--shadow);
		animation: rise 0.28s var(--ease);
	}
	.corner:has(~ .panel) .ring {
		animation: drop 0.28s var(--ease);
	}
	@keyframes drop {
		from {
			opacity: 0;
		}
	}
	.ring .name {
		display: -webkit-box;
		-webkit-box-orient: vertical;
		-webkit-line-clamp: 2;
		font-size: var(--t-head);
		line-height: 1.25;
		overflow-wrap: anywhere;
		white-space: normal;
		/* Cut at its own end, and still beside the picture. */
		unicode-bidi: plaintext;
		text-align: -webkit-match-parent;
		text-align: match-parent;
	}
	.ring .name > bdi {
		display: inline;
	}
	.note {
		color: var(--ink-soft);
		font-size: var(--t-note);
		overflow-wrap: anywhere;
	}
	.choices {
		display: grid;
		grid-template-columns: repeat(2, minmax(0, 1fr));
		gap: var(--s2);
	}
	.choices .first {
		grid-column: 1 / -1;
	}
	.choices .danger {
		order: 1;
	}
	.pulse {
		position: relative;
		display: inline-grid;
	}
	.pulse::before,
	.pulse::after {
		content: "";
		position: absolute;
		inset: 0;
		border-radius: 50%;
		border: 2px solid var(--online);
		animation: pulse 1.8s infinite cubic-bezier(0.2, 0.6, 0.4, 1);
	}
	.pulse::after {
		animation-delay: 0.6s;
	}
	@keyframes pulse {
		from {
			opacity: 0.9;
		}
		to {
			opacity: 0;
			transform: scale(1.55);
		}
	}
	@media (prefers-reduced-motion: reduce) {
		.pulse::before,
		.pulse::after {
			display: none;
		}
	}
	@media (max-width: 480px), (max-height: 480px) {
		.rings {
			position: fixed;
			z-index: 3;
			inset: max(var(--s2), env(safe-area-inset-top)) var(--s2) auto;
		}
		.corner:has(~ .panel) .rings {
			inset-block-start: calc(76px + env(safe-area-inset-top));
		}
	}
	@media (forced-colors: active) {
		.ring {
			border: 1px solid CanvasText;
		}
	}
`;var W=x`
	.stage {
		position: relative;
		flex: none;
		block-size: min(400px, 56%);
		overflow: hidden;
		background: radial-gradient(120% 90% at 50% 0%, #2b3856, #10141f 75%);
		color: #f5f7fc;
		outline: none;
		animation: appear 0.25s;
	}
	.stage:focus-visible {
		box-shadow: inset 0 0 0 3px var(--focus);
	}
	.stage.voice {
		block-size: min(300px, 46%);
	}
	.tiles {
		position: absolute;
		inset: 0;
		display: grid;
		grid-auto-flow: row;
		grid-template-columns: repeat(auto-fit, minmax(50%, 1fr));
	}
	.tile {
		position: relative;
		display: grid;
		place-items: center;
		overflow: hidden;
		padding-block-end: 26px;
	}
	.tile .avatar {
		box-shadow: 0 8px 32px rgb(0 0 0 / 0.35);
	}
	.tile.speaks .level .avatar {
		outline: 3px solid #3ecf8a;
		outline-offset: 4px;
	}
	.tile .remote {
		position: absolute;
		inset: 0;
		inline-size: 100%;
		block-size: 100%;
		object-fit: cover;
		animation: appear 0.3s;
	}
	.tile.away > * {
		filter: grayscale(0.7) brightness(0.55);
		transition: filter 0.3s;
	}
	@keyframes appear {
		from {
			opacity: 0;
		}
	}
	/* Above the caption, whose shade would swallow it, and light on any picture. */
	.muted {
		position: absolute;
		z-index: 1;
		inset-block-start: var(--s3);
		inset-inline-end: var(--s3);
		display: grid;
		place-items: center;
		inline-size: 36px;
		block-size: 36px;
		border-radius: 50%;
		background: #fff;
		color: #b3202a;
		box-shadow: 0 2px 8px rgb(0 0 0 / 0.4);
	}
	.muted .icon {
		inline-size: 20px;
		block-size: 20px;
	}
	.caption {
		position: absolute;
		inset-block-start: 0;
		inset-inline: 0;
		display: flex;
		flex-wrap: wrap;
		align-items: baseline;
		gap: 0 var(--s2);
		padding: var(--s3) var(--s4) var(--s6);
		background: linear-gradient(rgb(8 11 20 / 0.72), transparent);
		font-size: var(--t-note);
		font-variant-numeric: tabular-nums;
		text-shadow: 0 1px 3px rgb(0 0 0 / 0.6);
	}
	.caption .name-row {
		max-inline-size: 70%;
	}
	.caption .name {
		font-size: var(--t-text);
	}
	.weak {
		display: inline-flex;
		align-items: center;
		gap: 2px;
		color: #ffd479;
	}
	.weak .icon {
		inline-size: 16px;
		block-size: 16px;
	}
	.own {
		position: absolute;
		inset-block-end: 76px;
		inset-inline-end: var(--s3);
		inline-size: 28%;
		max-inline-size: 168px;
		aspect-ratio: 4 / 3;
		border-radius: 12px;
		object-fit: cover;
		background: #0b0e16;
		box-shadow: 0 0 0 1.5px rgb(255 255 255 / 0.35), 0 6px 20px rgb(0 0 0 / 0.5);
		transform: scaleX(-1);
		animation: appear 0.3s;
	}
	.controls {
		position: absolute;
		inset-block-end: 0;
		inset-inline: 0;
		display: flex;
		justify-content: center;
		gap: var(--s2);
		padding: var(--s5) var(--s3) var(--s3);
		background: linear-gradient(transparent, rgb(8 11 20 / 0.78));
	}
	.control {
		min-inline-size: 48px;
		min-block-size: 48px;
		border-radius: 24px;
		background: rgb(52 60 82 / 0.82);
		color: #fff;
	}
	.control:hover {
		background: rgb(78 88 114 / 0.92);
	}
	.control:focus-visible {
		outline-color: #fff;
	}
	.control.off,
	.control.on {
		background: #fff;
		color: #131826;
	}
	.control.danger {
		background: var(--danger);
	}
	.control.danger.filled {
		margin-inline-start: var(--s1);
		min-inline-size: 56px;
	}
	.problem {
		padding: var(--s2) var(--s3);
		border-radius: 12px;
		background: var(--danger-soft);
		color: var(--danger-ink);
		font-size: var(--t-note);
	}

	/* Before a call it unfolds under the header, where its button is. */
	.devices {
		position: absolute;
		z-index: 3;
		inset-block-start: 0;
		inset-inline: 0;
		display: grid;
		gap: var(--s3);
		grid-auto-rows: max-content;
		align-content: start;
		max-block-size: 100%;
		padding: var(--s4);
		overflow-y: auto;
		border-block-end: 1px solid var(--line);
		border-end-start-radius: var(--radius);
		border-end-end-radius: var(--radius);
		background: var(--bg);
		box-shadow: 0 16px 32px rgb(13 20 45 / 0.18);
		animation: fold 0.2s var(--ease);
	}
	@keyframes fold {
		from {
			opacity: 0;
			transform: translateY(-8px);
		}
	}
	/* In a call it stands on the controls. */
	.devices.compact {
		inset-block: auto 76px;
		inset-inline: var(--s3);
		gap: var(--s1);
		max-inline-size: 360px;
		max-block-size: calc(100% - 84px);
		margin-inline: auto;
		padding: var(--s2) var(--s3);
		border: 0;
		border-radius: 16px;
		color: var(--ink);
		text-shadow: none;
		box-shadow: 0 8px 32px rgb(0 0 0 / 0.45);
		animation-name: unfold;
	}
	@keyframes unfold {
		from {
			opacity: 0;
			transform: translateY(8px);
		}
	}
	.compact .choice {
		grid-template-columns: 88px minmax(0, 1fr);
		align-items: center;
	}
	.compact .wide {
		min-block-size: 44px;
	}
	.mirror {
		display: grid;
		place-items: center;
		aspect-ratio: 2 / 1;
		overflow: hidden;
		border-radius: 14px;
		background: #10141f;
		color: #c9d2e6;
		font-size: var(--t-note);
	}
	.mirror video {
		inline-size: 100%;
		block-size: 100%;
		object-fit: cover;
		transform: scaleX(-1);
	}
	.mirror span {
		display: grid;
		justify-items: center;
		gap: var(--s2);
	}
	.meter {
		display: flex;
		align-items: center;
		gap: var(--s2);
		color: var(--ink-soft);
	}
	.meter span {
		display: flex;
		flex: 1;
		gap: 3px;
	}
	.meter i {
		flex: 1;
		block-size: 8px;
		border-radius: 4px;
		background: var(--bg-press);
	}
	.meter i.lit {
		background: var(--online);
	}
	.choice {
		display: grid;
		gap: var(--s1);
		color: var(--ink-soft);
		font-size: var(--t-small);
		font-weight: 600;
	}
	select {
		inline-size: 100%;
		min-block-size: 44px;
		padding-inline: var(--s3);
		border: 1px solid var(--line);
		border-radius: 12px;
		background: var(--bg-soft);
		color: var(--ink);
		font: inherit;
		font-size: var(--t-note);
		font-weight: 500;
		text-overflow: ellipsis;
	}

	@media (min-width: 900px) and (min-height: 560px) {
		.panel.large {
			display: grid;
			grid-template: auto auto minmax(0, 1fr) / minmax(0, 1fr) 340px;
			inline-size: min(1040px, calc(100vw - 2 * var(--_x, 20px)));
			block-size: min(720px, calc(100dvh - 76px - var(--_y, 20px) - 16px));
		}
		.large > .header,
		.large > .strip {
			grid-column: 1 / -1;
		}
		.large > .stage {
			grid-area: 3 / 1;
			block-size: 100%;
			animation: none;
		}
		.large > .body {
			grid-area: 3 / 2;
			border-inline-start: 1px solid var(--line);
		}
		.large > .call-bar {
			grid-area: 2 / 1 / 3 / -1;
		}
	}
	@media (max-width: 899px), (max-height: 559px) {
		.only-wide {
			display: none;
		}
	}
	@media (max-width: 480px), (max-height: 480px) {
		.stage {
			block-size: 58%;
		}
	}
	@media (forced-colors: active) {
		.control,
		.own {
			border: 1px solid ButtonText;
		}
	}
`,L=[O,W];function w(e,o,t){let{inCall:a,picture:i,level:r,problem:l,chosen:n}=o,c="setSinkId"in HTMLMediaElement.prototype;return s`<div class="devices ${a?"compact":""}" role="group" aria-label=${e.say("deviceMenu")}>
		${a?d:s`<div class="mirror">
						${i?s`<video muted autoplay playsinline aria-label=${e.say("preview")} .srcObject=${v(i)} .muted=${!0}></video>`:s`<span>${u("videoOff","big")} ${e.say("previewOff")}</span>`}
					</div>
					<div class="meter" role="meter" aria-label=${e.say("level")} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(r*100)}>
						${u("mic")}<span>${Array.from({length:20},(p,m)=>s`<i class=${r*20>m?"lit":""}></i>`)}</span>
					</div>`}
		${l?s`<p class="problem" role="alert">${V(l.source,l.reason,e)}</p>`:d}
		${k(e,o,"videoinput",e.say("camera"),n.camera,p=>t.chooseDevices({camera:p}))}
		${k(e,o,"audioinput",e.say("microphone"),n.microphone,p=>t.chooseDevices({microphone:p}))}
		${c?k(e,o,"audiooutput",e.say("speaker"),n.speaker,(p,m)=>{t.chooseDevices({speaker:p}),D(m.getRootNode(),p)}):d}
		<button class="button wide soft" @click=${()=>t.toggleDevices()}>${e.say("done")}</button>
	</div>`}function k(e,o,t,a,i,r){let l=o.found.filter(n=>n.kind===t&&n.deviceId&&n.deviceId!=="default");return s`<label class="choice">
		<span>${a}</span>
		<select @change=${n=>r(n.target.value,n.target)}>
			<option value="" ?selected=${!i}>${e.say("systemDefault")}</option>
			${l.map((n,c)=>s`<option value=${n.deviceId} ?selected=${n.deviceId===i}>${n.label||`${a} ${c+1}`}</option>`)}
		</select>
	</label>`}function U(e,o){let{rings:t}=e;return t.length===0?d:s`<div class="rings">${y(t,({ring:a})=>a.id,a=>E(e,a,o))}</div>`}function E(e,o,t){let{ring:a,impossible:i,problem:r,holds:l}=o,{words:n}=e,c=a.media==="video",p=e.faces.get(a.from.user)??{id:a.from.user,name:a.from.user},m=n.say(c?"incomingVideo":"incomingVoice",{name:g(a.from,n)}),z=n.say(c?"videoRing":"voiceRing");return s`<div class="ring" role="alertdialog" aria-label=${m} aria-describedby="ring-${a.id}">
		<div class="row">
			<span class="pulse">${b(p,"medium")}</span>
			<span class="summary">
				${h(n,[a.from])}
				<span class="detail" id="ring-${a.id}">${a.waiting?`${n.say("waiting")} · ${z}`:z}</span>
			</span>
			${a.silenced||a.waiting?d:s`<button class="button plain" aria-label=${n.say("silence")} title=${n.say("silence")} @click=${()=>t.silence(a.id)}>${u("bellOff")}</button>`}
		</div>
		${i?s`<p class="no-calls">${n.say(i)}</p>`:d}
		${l&&!i?s`<p class="note">${n.say("answerHolds",{name:l})}</p>`:d}
		${r?s`<p class="problem" role="alert">${r.text}</p>`:d}
		<div class="choices">
			${i?d:H(e,o,t)}
			<button class="button danger wide" @click=${()=>t.decline(a.id)}>${u("hangUp","filled")} ${n.say("decline")}</button>
		</div>
	</div>`}function H({words:e},{ring:o,problem:t},a){let i=o.media==="video",r=(l,n,c,p,m=!0)=>s`<button class="button wide ${c}" @click=${()=>a.answer(o.id,{camera:p,microphone:m})}>${u(n)} ${e.say(l)}</button>`;return s`
		${t?.microphone?r("answerMuted","micOff","go first",!1,!1):d}
		${i?r("answerWithVideo","video",t?"soft first":"go first",!0):d}
		${r("answer","phone",i||t?"soft":"go",!1)}
	`}function N(e,o,t){let{call:a,words:i}=e;if(a.kind==="pending")return P(i,i.say(a.status),e.faces.get(a.user??"")??o.face,t);if(a.kind!=="here")return d;let{view:r,leg:l}=a,n=r.others.filter(m=>r.call.state!=="active"||m.state==="joined"||m.state==="reconnecting"),c=n.length>0?n:r.others,p=c.some(m=>I(m,l));return s`<div class="stage ${p||l.preview?"video":"voice"}" role="group" aria-label=${i.say(r.call.media==="video"?"logVideo":"logVoice")} tabindex="-1">
			<div class="tiles" data-count=${c.length}>${y(c,m=>m.user,m=>F(e,r,l,m))}</div>
			<div class="caption">
				${h(i,c)}
				<span role="status" aria-live=${C(r)?"off":"polite"}>${A(r,e.clock,i)}</span>
				${_(i,l)}
			</div>
			${l.preview?s`<video class="own" muted autoplay playsinline aria-label=${i.say("preview")} .srcObject=${v(l.preview)} .muted=${!0}></video>`:d}
			${B(i,o,r,l,t)}
			${o.devices?w(i,o.devices,t):d}
		</div>
		${a.held.map(m=>X(i,m,t))}`}function P(e,o,t,a){return s`<div class="stage voice" role="group" aria-label=${o} tabindex="-1">
		<div class="tiles" data-count="1"><div class="tile"><span class="pulse">${b(t,"huge")}</span></div></div>
		<div class="caption">${M(e,t)}<span role="status">${o}</span></div>
		<div class="controls">${f(e.say("hangUp"),"hangUp",()=>a.cancel(),"danger filled")}</div>
	</div>`}function F({words:e,faces:o},t,a,i){let r=a.remotes.get(i.user),l=o.get(i.user)??{id:i.user,name:i.name||i.user},n=I(i,a),c=t.phase==="calling"||t.phase==="ringing";return s`<div class="tile ${a.speaker===i.user?"speaks":""} ${i.state==="reconnecting"||i.held?"away":""}">
		${n?s`<video class="remote" muted autoplay playsinline aria-label=${g(i,e)} .srcObject=${v(r?.camera)} .muted=${!0}></video>`:s`<span class=${c?"pulse":"level"}>${b(l,"huge")}</span>`}
		${i.state==="joined"&&!i.microphone?s`<span class="muted" role="img" aria-label=${e.say("mutedOther",{name:g(i,e)})}>${u("micOff")}</span>`:d}
	</div>`}function I(e,o){return e.camera&&!e.held&&!o.held&&o.remotes.get(e.user)?.camera!==void 0}function B(e,o,t,a,i){let{microphone:r,camera:l,held:n}=a,{large:c,devices:p}=o;return s`<div class="controls">
		${f(e.say(r?"mute":"unmute"),r?"mic":"micOff",()=>i.setMicrophone(t.id,!r),r?"":"off")}
		${f(e.say(l?"cameraOff":"cameraOn"),l?"video":"videoOff",()=>i.setCamera(t.id,!l),l?"":"off")}
		${t.call.state==="active"?f(e.say(n?"resume":"hold"),n?"play":"pause",()=>i.setHeld(t.id,!n),n?"off":""):d}
		${f(e.say("devices"),"sliders",()=>i.toggleDevices(),p?"on":"")}
		${f(e.say(c?"smaller":"larger"),c?"smaller":"larger",()=>i.toggleSize(),"only-wide")}
		${f(e.say("hangUp"),"hangUp",()=>i.hangUp(t.id),"danger filled")}
	</div>`}function f(e,o,t,a=""){let i=a.includes("filled");return s`<button class="button control ${a}" aria-label=${e} title=${e} @click=${t}>${u(o,i?"filled":"")}</button>`}function _(e,{stats:o}){return!o||o.loss<.08&&(o.rttMs??0)<600?d:s`<span class="weak">${u("signal")} ${e.say("weak")}</span>`}function X(e,o,t){let a=R(o.others,e);return s`<div class="call-bar"><div class="row">
		<span class="summary">${h(e,o.others)}<span class="detail">${e.say("onHold")}</span></span>
		<button class="button text" @click=${()=>t.setHeld(o.id,!1)}>${e.say("resume")}</button>
		<button class="button danger" aria-label=${e.say("endCallWith",{name:a})} @click=${()=>t.hangUp(o.id)}>${u("hangUp","filled")}</button>
	</div></div>`}export{$ as Preview,j as Ringer,L as callStyles,w as devicesView,U as ringsView,N as stageView};
