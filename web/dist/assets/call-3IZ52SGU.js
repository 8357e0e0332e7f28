import{d as C,f as h}from"./chunk-SF3YHCS3.js";import{b as l,d as u,f as p,l as g,m as v,p as S,q as $}from"./chunk-UVNKJN3Z.js";import{h as k,i as R}from"./chunk-EILM7O4J.js";import"./chunk-J553QN5G.js";import"./chunk-PDYZ2PDV.js";import"./chunk-4SUHLNQS.js";import{f as w}from"./chunk-5LJRZOVA.js";import"./chunk-XZLEORBG.js";var b=class{stream;problem;found=[];level=0;#t;#e;#a=new AbortController;#s;constructor(t,i){this.#t=t,this.#e=i}async use(t,i){this.#s?.abort();let s=new AbortController;this.#s=s;let e=AbortSignal.any([s.signal,this.#a.signal]);this.stream=this.problem=void 0,i&&await this.#i(t,e);let o=await this.#t.calls.devices().catch(()=>[]);e.aborted||(this.found=o,this.#e())}close(){this.#a.abort(),this.stream=void 0}async#i({microphone:t,camera:i},s){let e={...t&&{microphone:t},...i&&{camera:i}},o=n=>this.#t.calls.preview({...n,devices:e,signal:s});try{this.stream=await o({camera:!0,microphone:!0})}catch(n){if(s.aborted)return;n instanceof w&&(this.problem={source:n.source,reason:n.reason});let r=this.problem?.source==="camera"?{camera:!1,microphone:!0}:{camera:!0,microphone:!1};this.stream=await o(r).catch(()=>{})}!s.aborted&&this.stream?.getAudioTracks().length&&this.#o(this.stream,s),s.aborted||this.#e()}#o(t,i){let s=new AudioContext,e=new AnalyserNode(s,{fftSize:512});s.createMediaStreamSource(t).connect(e);let o=new Float32Array(e.fftSize),n=setInterval(()=>{e.getFloatTimeDomainData(o);let r=o.reduce((c,d)=>c+d*d,0)/o.length;this.level=Math.max(0,Math.min(1,(10*Math.log10(r+1e-9)+60)/50)),this.#e()},120);i.addEventListener("abort",()=>{clearInterval(n),s.close()})}};function T(a,t,i){let{inCall:s,picture:e,level:o,problem:n,chosen:r}=t,c="setSinkId"in HTMLMediaElement.prototype;return l`<div class="devices" role="group" aria-label=${a.say("deviceMenu")}>
		${s?u:l`<div class="mirror">
						${e?l`<video muted autoplay playsinline aria-label=${a.say("preview")} .srcObject=${v(e)} .muted=${!0}></video>`:l`<span>${p("videoOff","big")} ${a.say("previewOff")}</span>`}
					</div>
					<div class="meter" role="meter" aria-label=${a.say("level")} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(o*100)}>
						${p("mic")}<span>${Array.from({length:20},(d,m)=>l`<i class=${o*20>m?"lit":""}></i>`)}</span>
					</div>`}
		${n?l`<p class="problem" role="alert">${h(n.source,n.reason,a)}</p>`:u}
		${y(a,t,"videoinput",a.say("camera"),r.camera,d=>i.chooseDevices({camera:d}))}
		${y(a,t,"audioinput",a.say("microphone"),r.microphone,d=>i.chooseDevices({microphone:d}))}
		${c?y(a,t,"audiooutput",a.say("speaker"),r.speaker,(d,m)=>{i.chooseDevices({speaker:d}),S(m.getRootNode(),d)}):u}
		<button class="button wide soft" @click=${()=>i.toggleDevices()}>${a.say("done")}</button>
	</div>`}function y(a,t,i,s,e,o){let n=t.found.filter(r=>r.kind===i&&r.deviceId&&r.deviceId!=="default");return l`<label class="choice">
		<span>${s}</span>
		<select @change=${r=>o(r.target.value,r.target)}>
			<option value="" ?selected=${!e}>${a.say("systemDefault")}</option>
			${n.map((r,c)=>l`<option value=${r.deviceId} ?selected=${r.deviceId===e}>${r.label||`${s} ${c+1}`}</option>`)}
		</select>
	</label>`}function x(a,t){let{rings:i}=a;return i.length===0?u:l`<div class="rings">${g(i,({ring:s})=>s.id,s=>D(a,s,t))}</div>`}function D(a,{ring:t,impossible:i},s){let{words:e}=a,o=t.media==="video",n=a.faces.get(t.from.user)??{id:t.from.user,name:t.from.user},r=t.from.name||t.from.user,c=e.say(o?"incomingVideo":"incomingVoice",{name:r}),d=e.say(o?"videoRing":"voiceRing");return l`<div class="ring" role="alertdialog" aria-label=${c} aria-describedby="ring-${t.id}">
		<div class="row">
			<span class="pulse">${$(n,"medium")}</span>
			<span class="summary">
				<span class="name"><bdi>${r}</bdi></span>
				<span class="detail" id="ring-${t.id}">${t.waiting?`${e.say("waiting")} · ${d}`:d}</span>
			</span>
			${t.silenced||t.waiting?u:l`<button class="button plain" aria-label=${e.say("silence")} title=${e.say("silence")} @click=${()=>s.silence(t.id)}>${p("bellOff")}</button>`}
		</div>
		${i?l`<p class="no-calls">${e.say(i)}</p>`:u}
		<div class="choices ${o?"video":""}">
			${i?u:M(a,t.id,o,s)}
			<button class="button danger wide" @click=${()=>s.decline(t.id)}>${p("hangUp","filled")} ${e.say("decline")}</button>
		</div>
	</div>`}function M({words:a},t,i,s){return l`${i?l`<button class="button go wide first" @click=${()=>s.answer(t,!0)}>${p("video")} ${a.say("answerWithVideo")}</button>`:u}
		<button class="button ${i?"soft":"go"} wide" @click=${()=>s.answer(t,!1)}>${p("phone")} ${a.say("answer")}</button>`}function V(a,t,i){let{call:s,words:e}=a;if(s.kind==="pending")return O(e,e.say(s.status),a.faces.get(s.user??"")??t.face,i);if(s.kind!=="here")return u;let{view:o,leg:n}=s,r=o.others.filter(m=>o.call.state!=="active"||m.state==="joined"||m.state==="reconnecting"),c=r.length>0?r:o.others,d=c.some(m=>A(m,n));return l`<div class="stage ${d||n.preview?"video":"voice"}" role="group" aria-label=${e.say(o.call.media==="video"?"logVideo":"logVoice")} tabindex="-1">
			<div class="tiles" data-count=${c.length}>${g(c,m=>m.user,m=>I(a,o,n,m))}</div>
			<div class="caption">
				<span class="name"><bdi>${c.map(m=>m.name||m.user).join(", ")}</bdi></span>
				<span role="status" aria-live=${R(o)?"off":"polite"}>${k(o,a.clock,e)}</span>
				${L(e,n)}
			</div>
			${n.preview?l`<video class="own" muted autoplay playsinline aria-label=${e.say("preview")} .srcObject=${v(n.preview)} .muted=${!0}></video>`:u}
			${n.problem?l`<p class="problem" role="alert">${h(n.problem.source,n.problem.reason,e)}</p>`:u}
			${W(e,t,o,n,i)}
		</div>
		${s.held.map(m=>U(e,m,i))}`}function O(a,t,i,s){return l`<div class="stage voice" role="group" aria-label=${t} tabindex="-1">
		<div class="tiles" data-count="1"><div class="tile"><span class="pulse">${$(i,"huge")}</span></div></div>
		<div class="caption"><span class="name"><bdi>${i.name}</bdi></span><span role="status">${t}</span></div>
		<div class="controls">${f(a.say("hangUp"),"hangUp",()=>s.cancel(),"danger filled")}</div>
	</div>`}function I({words:a,faces:t},i,s,e){let o=s.remotes.get(e.user),n=t.get(e.user)??{id:e.user,name:e.name||e.user},r=A(e,s),c=i.phase==="calling"||i.phase==="ringing";return l`<div class="tile ${s.speaker===e.user?"speaks":""} ${e.state==="reconnecting"||e.held?"away":""}">
		${r?l`<video class="remote" muted autoplay playsinline aria-label=${e.name||e.user} .srcObject=${v(o?.camera)} .muted=${!0}></video>`:l`<span class=${c?"pulse":"level"}>${$(n,"huge")}</span>`}
		${e.state==="joined"&&!e.microphone?l`<span class="muted" role="img" aria-label=${a.say("mutedOther",{name:e.name||e.user})}>${p("micOff")}</span>`:u}
	</div>`}function A(a,t){return a.camera&&!a.held&&!t.held&&t.remotes.get(a.user)?.camera!==void 0}function W(a,t,i,s,e){let{microphone:o,camera:n,held:r}=s,{large:c,devices:d}=t;return l`<div class="controls">
		${f(a.say(o?"mute":"unmute"),o?"mic":"micOff",()=>e.setMicrophone(i.id,!o),o?"":"off")}
		${f(a.say(n?"cameraOff":"cameraOn"),n?"video":"videoOff",()=>e.setCamera(i.id,!n),n?"":"off")}
		${i.call.state==="active"?f(a.say(r?"resume":"hold"),r?"play":"pause",()=>e.setHeld(i.id,!r),r?"off":""):u}
		${f(a.say("devices"),"sliders",()=>e.toggleDevices(),d?"on":"")}
		${f(a.say(c?"smaller":"larger"),c?"smaller":"larger",()=>e.toggleSize(),"only-wide")}
		${f(a.say("hangUp"),"hangUp",()=>e.hangUp(i.id),"danger filled")}
	</div>`}function f(a,t,i,s=""){let e=s.includes("filled");return l`<button class="button control ${s}" aria-label=${a} title=${a} @click=${i}>${p(t,e?"filled":"")}</button>`}function L(a,{stats:t}){return!t||t.loss<.08&&(t.rttMs??0)<600?u:l`<span class="weak">${p("signal")} ${a.say("weak")}</span>`}function U(a,t,i){let s=t.others.map(e=>e.name||e.user).join(", ");return l`<div class="call-bar"><div class="row">
		<span class="summary"><span class="name"><bdi>${s}</bdi></span><span class="detail">${a.say("onHold")}</span></span>
		<button class="button text" @click=${()=>i.setHeld(t.id,!1)}>${a.say("resume")}</button>
		<button class="button danger" aria-label=${a.say("endCallWith",{name:s})} @click=${()=>i.hangUp(t.id)}>${p("hangUp","filled")}</button>
	</div></div>`}export{b as Preview,C as Ringer,T as devicesView,x as ringsView,V as stageView};
