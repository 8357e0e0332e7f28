import{d as D}from"./chunk-OWDEVTW2.js";import{b as l,d as m,f as p,l as g,m as v,p as A,q as $}from"./chunk-UVNKJN3Z.js";import{h as R,i as x,n as S}from"./chunk-QLBRQOJK.js";import"./chunk-ZC5XGMPO.js";import"./chunk-YYOIUB6G.js";import"./chunk-FKJG5VM7.js";import{j as k}from"./chunk-Q7HVTNZG.js";import"./chunk-GJJWH3U2.js";var h=class{stream;problem;found=[];level=0;#t;#e;#s=new AbortController;#a;constructor(a,i){this.#t=a,this.#e=i}async use(a,i){this.#a?.abort();let t=new AbortController;this.#a=t;let e=AbortSignal.any([t.signal,this.#s.signal]);this.stream=this.problem=void 0,i&&await this.#i(a,e);let n=await this.#t.calls.devices().catch(()=>[]);e.aborted||(this.found=n,this.#e())}close(){this.#s.abort(),this.stream=void 0}async#i({microphone:a,camera:i},t){let e={...a&&{microphone:a},...i&&{camera:i}},n=r=>this.#t.calls.preview({...r,devices:e,signal:t});try{this.stream=await n({camera:!0,microphone:!0})}catch(r){if(t.aborted)return;r instanceof k&&(this.problem={source:r.source,reason:r.reason});let o=this.problem?.source==="camera"?{camera:!1,microphone:!0}:{camera:!0,microphone:!1};this.stream=await n(o).catch(()=>{})}!t.aborted&&this.stream?.getAudioTracks().length&&this.#o(this.stream,t),t.aborted||this.#e()}#o(a,i){let t=new AudioContext,e=new AnalyserNode(t,{fftSize:512});t.createMediaStreamSource(a).connect(e);let n=new Float32Array(e.fftSize),r=setInterval(()=>{e.getFloatTimeDomainData(n);let o=n.reduce((d,u)=>d+u*u,0)/n.length;this.level=Math.max(0,Math.min(1,(10*Math.log10(o+1e-9)+60)/50)),this.#e()},120);i.addEventListener("abort",()=>{clearInterval(r),t.close()})}};function y(s,a,i){let{inCall:t,picture:e,level:n,problem:r,chosen:o}=a,d="setSinkId"in HTMLMediaElement.prototype;return l`<div class="devices ${t?"compact":""}" role="group" aria-label=${s.say("deviceMenu")}>
		${t?m:l`<div class="mirror">
						${e?l`<video muted autoplay playsinline aria-label=${s.say("preview")} .srcObject=${v(e)} .muted=${!0}></video>`:l`<span>${p("videoOff","big")} ${s.say("previewOff")}</span>`}
					</div>
					<div class="meter" role="meter" aria-label=${s.say("level")} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(n*100)}>
						${p("mic")}<span>${Array.from({length:20},(u,c)=>l`<i class=${n*20>c?"lit":""}></i>`)}</span>
					</div>`}
		${r?l`<p class="problem" role="alert">${S(r.source,r.reason,s)}</p>`:m}
		${b(s,a,"videoinput",s.say("camera"),o.camera,u=>i.chooseDevices({camera:u}))}
		${b(s,a,"audioinput",s.say("microphone"),o.microphone,u=>i.chooseDevices({microphone:u}))}
		${d?b(s,a,"audiooutput",s.say("speaker"),o.speaker,(u,c)=>{i.chooseDevices({speaker:u}),A(c.getRootNode(),u)}):m}
		<button class="button wide soft" @click=${()=>i.toggleDevices()}>${s.say("done")}</button>
	</div>`}function b(s,a,i,t,e,n){let r=a.found.filter(o=>o.kind===i&&o.deviceId&&o.deviceId!=="default");return l`<label class="choice">
		<span>${t}</span>
		<select @change=${o=>n(o.target.value,o.target)}>
			<option value="" ?selected=${!e}>${s.say("systemDefault")}</option>
			${r.map((o,d)=>l`<option value=${o.deviceId} ?selected=${o.deviceId===e}>${o.label||`${t} ${d+1}`}</option>`)}
		</select>
	</label>`}function M(s,a){let{rings:i}=s;return i.length===0?m:l`<div class="rings">${g(i,({ring:t})=>t.id,t=>V(s,t,a))}</div>`}function V(s,a,i){let{ring:t,impossible:e,problem:n,holds:r}=a,{words:o}=s,d=t.media==="video",u=s.faces.get(t.from.user)??{id:t.from.user,name:t.from.user},c=t.from.name||t.from.user,T=o.say(d?"incomingVideo":"incomingVoice",{name:c}),w=o.say(d?"videoRing":"voiceRing");return l`<div class="ring" role="alertdialog" aria-label=${T} aria-describedby="ring-${t.id}">
		<div class="row">
			<span class="pulse">${$(u,"medium")}</span>
			<span class="summary">
				<span class="name"><bdi>${c}</bdi></span>
				<span class="detail" id="ring-${t.id}">${t.waiting?`${o.say("waiting")} · ${w}`:w}</span>
			</span>
			${t.silenced||t.waiting?m:l`<button class="button plain" aria-label=${o.say("silence")} title=${o.say("silence")} @click=${()=>i.silence(t.id)}>${p("bellOff")}</button>`}
		</div>
		${e?l`<p class="no-calls">${o.say(e)}</p>`:m}
		${r&&!e?l`<p class="note">${o.say("answerHolds",{name:r})}</p>`:m}
		${n?l`<p class="problem" role="alert">${n.text}</p>`:m}
		<div class="choices">
			${e?m:O(s,a,i)}
			<button class="button danger wide" @click=${()=>i.decline(t.id)}>${p("hangUp","filled")} ${o.say("decline")}</button>
		</div>
	</div>`}function O({words:s},{ring:a,problem:i},t){let e=a.media==="video",n=(r,o,d,u,c=!0)=>l`<button class="button wide ${d}" @click=${()=>t.answer(a.id,{camera:u,microphone:c})}>${p(o)} ${s.say(r)}</button>`;return l`
		${i?.microphone?n("answerMuted","micOff","go first",!1,!1):m}
		${e?n("answerWithVideo","video",i?"soft first":"go first",!0):m}
		${n("answer","phone",e||i?"soft":"go",!1)}
	`}function I(s,a,i){let{call:t,words:e}=s;if(t.kind==="pending")return W(e,e.say(t.status),s.faces.get(t.user??"")??a.face,i);if(t.kind!=="here")return m;let{view:n,leg:r}=t,o=n.others.filter(c=>n.call.state!=="active"||c.state==="joined"||c.state==="reconnecting"),d=o.length>0?o:n.others,u=d.some(c=>C(c,r));return l`<div class="stage ${u||r.preview?"video":"voice"}" role="group" aria-label=${e.say(n.call.media==="video"?"logVideo":"logVoice")} tabindex="-1">
			<div class="tiles" data-count=${d.length}>${g(d,c=>c.user,c=>L(s,n,r,c))}</div>
			<div class="caption">
				<span class="name"><bdi>${d.map(c=>c.name||c.user).join(", ")}</bdi></span>
				<span role="status" aria-live=${x(n)?"off":"polite"}>${R(n,s.clock,e)}</span>
				${j(e,r)}
			</div>
			${r.preview?l`<video class="own" muted autoplay playsinline aria-label=${e.say("preview")} .srcObject=${v(r.preview)} .muted=${!0}></video>`:m}
			${U(e,a,n,r,i)}
			${a.devices?y(e,a.devices,i):m}
		</div>
		${t.held.map(c=>E(e,c,i))}`}function W(s,a,i,t){return l`<div class="stage voice" role="group" aria-label=${a} tabindex="-1">
		<div class="tiles" data-count="1"><div class="tile"><span class="pulse">${$(i,"huge")}</span></div></div>
		<div class="caption"><span class="name"><bdi>${i.name}</bdi></span><span role="status">${a}</span></div>
		<div class="controls">${f(s.say("hangUp"),"hangUp",()=>t.cancel(),"danger filled")}</div>
	</div>`}function L({words:s,faces:a},i,t,e){let n=t.remotes.get(e.user),r=a.get(e.user)??{id:e.user,name:e.name||e.user},o=C(e,t),d=i.phase==="calling"||i.phase==="ringing";return l`<div class="tile ${t.speaker===e.user?"speaks":""} ${e.state==="reconnecting"||e.held?"away":""}">
		${o?l`<video class="remote" muted autoplay playsinline aria-label=${e.name||e.user} .srcObject=${v(n?.camera)} .muted=${!0}></video>`:l`<span class=${d?"pulse":"level"}>${$(r,"huge")}</span>`}
		${e.state==="joined"&&!e.microphone?l`<span class="muted" role="img" aria-label=${s.say("mutedOther",{name:e.name||e.user})}>${p("micOff")}</span>`:m}
	</div>`}function C(s,a){return s.camera&&!s.held&&!a.held&&a.remotes.get(s.user)?.camera!==void 0}function U(s,a,i,t,e){let{microphone:n,camera:r,held:o}=t,{large:d,devices:u}=a;return l`<div class="controls">
		${f(s.say(n?"mute":"unmute"),n?"mic":"micOff",()=>e.setMicrophone(i.id,!n),n?"":"off")}
		${f(s.say(r?"cameraOff":"cameraOn"),r?"video":"videoOff",()=>e.setCamera(i.id,!r),r?"":"off")}
		${i.call.state==="active"?f(s.say(o?"resume":"hold"),o?"play":"pause",()=>e.setHeld(i.id,!o),o?"off":""):m}
		${f(s.say("devices"),"sliders",()=>e.toggleDevices(),u?"on":"")}
		${f(s.say(d?"smaller":"larger"),d?"smaller":"larger",()=>e.toggleSize(),"only-wide")}
		${f(s.say("hangUp"),"hangUp",()=>e.hangUp(i.id),"danger filled")}
	</div>`}function f(s,a,i,t=""){let e=t.includes("filled");return l`<button class="button control ${t}" aria-label=${s} title=${s} @click=${i}>${p(a,e?"filled":"")}</button>`}function j(s,{stats:a}){return!a||a.loss<.08&&(a.rttMs??0)<600?m:l`<span class="weak">${p("signal")} ${s.say("weak")}</span>`}function E(s,a,i){let t=a.others.map(e=>e.name||e.user).join(", ");return l`<div class="call-bar"><div class="row">
		<span class="summary"><span class="name"><bdi>${t}</bdi></span><span class="detail">${s.say("onHold")}</span></span>
		<button class="button text" @click=${()=>i.setHeld(a.id,!1)}>${s.say("resume")}</button>
		<button class="button danger" aria-label=${s.say("endCallWith",{name:t})} @click=${()=>i.hangUp(a.id)}>${p("hangUp","filled")}</button>
	</div></div>`}export{h as Preview,D as Ringer,y as devicesView,M as ringsView,I as stageView};
