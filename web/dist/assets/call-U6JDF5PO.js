import{d as M,f as $}from"./chunk-UEC6U4BN.js";import{b as r,d as c,f as d,l as T,n as x,o as v}from"./chunk-GO4D3UFF.js";import{h as k,i as C}from"./chunk-VRPIJ66P.js";import"./chunk-TGBEAD3A.js";import"./chunk-SWRW2RAO.js";import{c as R}from"./chunk-PVCLTVY2.js";var h=class{stream;problem;found=[];level=0;#t;#e;#a=new AbortController;#o;constructor(o,e){this.#t=o,this.#e=e}async use(o,e){this.#o?.abort();let t=new AbortController;this.#o=t;let i=AbortSignal.any([t.signal,this.#a.signal]);this.stream=this.problem=void 0,e&&await this.#s(o,i);let n=await this.#t.calls.devices().catch(()=>[]);i.aborted||(this.found=n,this.#e())}close(){this.#a.abort(),this.stream=void 0}async#s({microphone:o,camera:e},t){let i={...o&&{microphone:o},...e&&{camera:e}},n=l=>this.#t.calls.preview({...l,devices:i,signal:t});try{this.stream=await n({camera:!0,microphone:!0})}catch(l){if(t.aborted)return;l instanceof R&&(this.problem={source:l.source,reason:l.reason});let s=this.problem?.source==="camera"?{camera:!1,microphone:!0}:{camera:!0,microphone:!1};this.stream=await n(s).catch(()=>{})}!t.aborted&&this.stream?.getAudioTracks().length&&this.#n(this.stream,t),t.aborted||this.#e()}#n(o,e){let t=new AudioContext,i=new AnalyserNode(t,{fftSize:512});t.createMediaStreamSource(o).connect(i);let n=new Float32Array(i.fftSize),l=setInterval(()=>{i.getFloatTimeDomainData(n);let s=n.reduce((m,p)=>m+p*p,0)/n.length;this.level=Math.max(0,Math.min(1,(10*Math.log10(s+1e-9)+60)/50)),this.#e()},120);e.addEventListener("abort",()=>{clearInterval(l),t.close()})}};var g=new WeakMap;function O(a){let{client:o,words:e,calling:t}=a;if(!o)return c;let{screen:i}=t,n=i.kind==="here",l=g.get(a);l||(l=new h(o,()=>a.changed()),g.set(a,l),l.use(t.devices,!n));let s=l,m=u=>{t.choose(u),!n&&!("speaker"in u)&&s.use(t.devices,!0)},p=n?i.leg.preview:s.stream,w=p?.getVideoTracks().length?p:void 0,S="setSinkId"in HTMLMediaElement.prototype;return r`<div class="devices" role="group" aria-label=${e.say("deviceMenu")}>
		${n?c:r`<div class="mirror">
						${w?r`<video muted autoplay playsinline aria-label=${e.say("preview")} .srcObject=${w} .muted=${!0}></video>`:r`<span>${d("videoOff","big")} ${e.say("previewOff")}</span>`}
					</div>
					<div class="meter" role="meter" aria-label=${e.say("level")} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(s.level*100)}>
						${d("mic")}<span>${Array.from({length:20},(u,b)=>r`<i class=${s.level*20>b?"lit":""}></i>`)}</span>
					</div>`}
		${s.problem?r`<p class="problem" role="alert">${$(s.problem.source,s.problem.reason,e)}</p>`:c}
		${y(a,s,"videoinput",e.say("camera"),t.devices.camera,u=>m({camera:u}))}
		${y(a,s,"audioinput",e.say("microphone"),t.devices.microphone,u=>m({microphone:u}))}
		${S?y(a,s,"audiooutput",e.say("speaker"),t.devices.speaker,(u,b)=>{m({speaker:u}),x(b.getRootNode(),u)}):c}
		<button class="button wide soft" @click=${()=>a.change({type:"devices"})}>${e.say("done")}</button>
	</div>`}function A(a){g.get(a)?.close(),g.delete(a)}function y(a,o,e,t,i,n){let l=o.found.filter(s=>s.kind===e&&s.deviceId&&s.deviceId!=="default");return r`<label class="choice">
		<span>${t}</span>
		<select @change=${s=>n(s.target.value,s.target)}>
			<option value="" ?selected=${!i}>${a.words.say("systemDefault")}</option>
			${l.map((s,m)=>r`<option value=${s.deviceId} ?selected=${s.deviceId===i}>${s.label||`${t} ${m+1}`}</option>`)}
		</select>
	</label>`}function D(a,o){let{words:e,calling:t,client:i}=a,n=o.media==="video",l=o.from.name||o.from.user,s=e.say(n?"incomingVideo":"incomingVoice",{name:l}),m=e.say(n?"videoRing":"voiceRing"),p=i?.calls.available;return r`<div class="ring" role="alertdialog" aria-label=${s} aria-describedby="ring-kind">
		<div class="row">
			<span class="pulse">${v(U(a,o),"medium")}</span>
			<span class="summary">
				<span class="name" dir="auto">${l}</span>
				<span class="detail" id="ring-kind">${o.waiting?`${e.say("waiting")} · ${m}`:m}</span>
			</span>
			${o.silenced||o.waiting?c:r`<button class="button plain" aria-label=${e.say("silence")} title=${e.say("silence")} @click=${()=>i?.calls.silence(o.id)}>${d("bellOff")}</button>`}
		</div>
		${p&&!p.ok?r`<p class="no-calls">${e.say(p.reason==="calls_need_https"?"callsNeedHttps":"callsUnsupported")}</p>`:c}
		<div class="choices ${n?"video":""}">
			${p?.ok===!1?c:I(a,o,n)}
			<button class="button danger wide" @click=${()=>t.decline(o)}>${d("hangUp","filled")} ${e.say("decline")}</button>
		</div>
	</div>`}function I(a,o,e){let{words:t,calling:i}=a;return r`${e?r`<button class="button go wide first" @click=${()=>i.answer(o,!0)}>${d("video")} ${t.say("answerWithVideo")}</button>`:c}
		<button class="button ${e?"soft":"go"} wide" @click=${()=>i.answer(o,!1)}>${d("phone")} ${t.say("answer")}</button>`}function U(a,o){let e=a.client?.conversations.get(o.call.conversation),t=e&&a.people.faceOf(e);return t?.id===o.from.user?t:{id:o.from.user,name:o.from.name||o.from.user}}function j(a,o){if(o.kind==="pending")return L(a,a.words.say(o.status));if(o.kind!=="here")return c;let{view:e,leg:t}=o,i=e.others.filter(s=>e.call.state!=="active"||s.state==="joined"||s.state==="reconnecting"),n=i.length>0?i:e.others,l=n.some(s=>V(s,t));return r`<div class="stage ${l||t.preview?"video":"voice"}" role="group" aria-label=${a.words.say(e.call.media==="video"?"logVideo":"logVoice")} tabindex="-1">
			<div class="tiles" data-count=${n.length}>${T(n,s=>s.user,s=>H(a,e,t,s))}</div>
			<div class="caption">
				<span class="name" dir="auto">${n.map(s=>s.name||s.user).join(", ")}</span>
				<span role="status" aria-live=${C(e)?"off":"polite"}>${k(e,performance.now(),a.words)}</span>
				${N(a,t)}
			</div>
			${t.preview?r`<video class="own" muted autoplay playsinline aria-label=${a.words.say("preview")} .srcObject=${t.preview} .muted=${!0}></video>`:c}
			${t.problem?r`<p class="problem" role="alert">${$(t.problem.source,t.problem.reason,a.words)}</p>`:c}
			${F(a,e,t)}
		</div>
		${o.held.map(s=>P(a,s))}`}function L(a,o){let e=E(a);return r`<div class="stage voice" role="group" aria-label=${o} tabindex="-1">
		<div class="tiles" data-count="1"><div class="tile"><span class="pulse">${v(e,"huge")}</span></div></div>
		<div class="caption"><span class="name" dir="auto">${e.name}</span><span role="status">${o}</span></div>
		<div class="controls">${f(a.words.say("hangUp"),"hangUp",()=>a.calling.cancel(),"danger filled")}</div>
	</div>`}function E(a){let{pending:o}=a.state;return o.kind==="answering"?{id:o.ring.from.user,name:o.ring.from.name}:a.people.face(o.kind==="starting"?o.ref:a.ref)}function H(a,o,e,t){let i=e.remotes.get(t.user),n=a.client?.conversations.get(o.call.conversation),l=n&&a.people.faceOf(n),s=l?.id===t.user?l:{id:t.user,name:t.name||t.user},m=V(t,e),p=o.phase==="calling"||o.phase==="ringing";return r`<div class="tile ${e.speaker===t.user?"speaks":""} ${t.state==="reconnecting"||t.held?"away":""}">
		${m?r`<video class="remote" muted autoplay playsinline aria-label=${t.name||t.user} .srcObject=${i?.camera??null} .muted=${!0}></video>`:r`<span class=${p?"pulse":"level"}>${v(s,"huge")}</span>`}
		${t.state==="joined"&&!t.microphone?r`<span class="muted" role="img" aria-label=${a.words.say("mutedOther",{name:t.name||t.user})}>${d("micOff")}</span>`:c}
	</div>`}function V(a,o){return a.camera&&!a.held&&!o.held&&o.remotes.get(a.user)?.camera!==void 0}function F(a,o,e){let{words:t,calling:i,state:n}=a,l=n.panel.kind==="open"&&n.panel.devices;return r`<div class="controls">
		${f(t.say(e.microphone?"mute":"unmute"),e.microphone?"mic":"micOff",()=>i.do(e.setMicrophone(!e.microphone)),e.microphone?"":"off")}
		${f(t.say(e.camera?"cameraOff":"cameraOn"),e.camera?"video":"videoOff",()=>i.do(e.setCamera(!e.camera)),e.camera?"":"off")}
		${o.call.state==="active"?f(t.say(e.held?"resume":"hold"),e.held?"play":"pause",()=>i.do(e.setHeld(!e.held)),e.held?"off":""):c}
		${f(t.say("devices"),"sliders",()=>a.change({type:"devices"}),l?"on":"")}
		${f(t.say(n.large?"smaller":"larger"),n.large?"smaller":"larger",()=>a.change({type:"resize"}),"only-wide")}
		${f(t.say("hangUp"),"hangUp",()=>i.hangUp(o.id),"danger filled")}
	</div>`}function f(a,o,e,t=""){let i=t.includes("filled");return r`<button class="button control ${t}" aria-label=${a} title=${a} @click=${e}>${d(o,i?"filled":"")}</button>`}function N(a,o){let{stats:e}=o;return!e||e.loss<.08&&(e.rttMs??0)<600?c:r`<span class="weak">${d("signal")} ${a.words.say("weak")}</span>`}function P(a,o){let e=o.others.map(t=>t.name||t.user).join(", ");return r`<div class="call-bar"><div class="row">
		<span class="summary"><span class="name" dir="auto">${e}</span><span class="detail">${a.words.say("onHold")}</span></span>
		<button class="button text" @click=${()=>a.calling.do(a.client?.calls.setHeld(o.id,!1))}>${a.words.say("resume")}</button>
		<button class="button danger" aria-label=${a.words.say("endCallWith",{name:e})} @click=${()=>a.calling.hangUp(o.id)}>${d("hangUp","filled")}</button>
	</div></div>`}export{M as Ringer,A as devicesClosed,O as devicesView,D as ringView,j as stageView};
