import{d as O,f as h}from"./chunk-QCC5S5VE.js";import{b as r,d as c,f as d,l as b,m as v,o as V,p as $}from"./chunk-2BIC24NH.js";import{h as T,i as x}from"./chunk-VRPIJ66P.js";import"./chunk-OTBVSCOT.js";import"./chunk-PWS5F7WI.js";import"./chunk-XZLEORBG.js";import"./chunk-ZUUAHXHP.js";import{c as R}from"./chunk-AO6LQEHP.js";var g=class{stream;problem;found=[];level=0;#t;#e;#o=new AbortController;#a;constructor(t,e){this.#t=t,this.#e=e}async use(t,e){this.#a?.abort();let o=new AbortController;this.#a=o;let i=AbortSignal.any([o.signal,this.#o.signal]);this.stream=this.problem=void 0,e&&await this.#s(t,i);let n=await this.#t.calls.devices().catch(()=>[]);i.aborted||(this.found=n,this.#e())}close(){this.#o.abort(),this.stream=void 0}async#s({microphone:t,camera:e},o){let i={...t&&{microphone:t},...e&&{camera:e}},n=l=>this.#t.calls.preview({...l,devices:i,signal:o});try{this.stream=await n({camera:!0,microphone:!0})}catch(l){if(o.aborted)return;l instanceof R&&(this.problem={source:l.source,reason:l.reason});let s=this.problem?.source==="camera"?{camera:!1,microphone:!0}:{camera:!0,microphone:!1};this.stream=await n(s).catch(()=>{})}!o.aborted&&this.stream?.getAudioTracks().length&&this.#n(this.stream,o),o.aborted||this.#e()}#n(t,e){let o=new AudioContext,i=new AnalyserNode(o,{fftSize:512});o.createMediaStreamSource(t).connect(i);let n=new Float32Array(i.fftSize),l=setInterval(()=>{i.getFloatTimeDomainData(n);let s=n.reduce((m,p)=>m+p*p,0)/n.length;this.level=Math.max(0,Math.min(1,(10*Math.log10(s+1e-9)+60)/50)),this.#e()},120);e.addEventListener("abort",()=>{clearInterval(l),o.close()})}};var y=new WeakMap;function A(a){let{client:t,words:e,calling:o}=a;if(!t)return c;let{screen:i}=o,n=i.kind==="here",l=y.get(a);l||(l=new g(t,()=>a.changed()),y.set(a,l),l.use(o.devices,!n));let s=l,m=u=>{o.choose(u),!n&&!("speaker"in u)&&s.use(o.devices,!0)},p=n?i.leg.preview:s.stream,k=p?.getVideoTracks().length?p:void 0,M="setSinkId"in HTMLMediaElement.prototype;return r`<div class="devices" role="group" aria-label=${e.say("deviceMenu")}>
		${n?c:r`<div class="mirror">
						${k?r`<video muted autoplay playsinline aria-label=${e.say("preview")} .srcObject=${v(k)} .muted=${!0}></video>`:r`<span>${d("videoOff","big")} ${e.say("previewOff")}</span>`}
					</div>
					<div class="meter" role="meter" aria-label=${e.say("level")} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(s.level*100)}>
						${d("mic")}<span>${Array.from({length:20},(u,w)=>r`<i class=${s.level*20>w?"lit":""}></i>`)}</span>
					</div>`}
		${s.problem?r`<p class="problem" role="alert">${h(s.problem.source,s.problem.reason,e)}</p>`:c}
		${C(a,s,"videoinput",e.say("camera"),o.devices.camera,u=>m({camera:u}))}
		${C(a,s,"audioinput",e.say("microphone"),o.devices.microphone,u=>m({microphone:u}))}
		${M?C(a,s,"audiooutput",e.say("speaker"),o.devices.speaker,(u,w)=>{m({speaker:u}),V(w.getRootNode(),u)}):c}
		<button class="button wide soft" @click=${()=>a.change({type:"devices"})}>${e.say("done")}</button>
	</div>`}function D(a){y.get(a)?.close(),y.delete(a)}function C(a,t,e,o,i,n){let l=t.found.filter(s=>s.kind===e&&s.deviceId&&s.deviceId!=="default");return r`<label class="choice">
		<span>${o}</span>
		<select @change=${s=>n(s.target.value,s.target)}>
			<option value="" ?selected=${!i}>${a.words.say("systemDefault")}</option>
			${l.map((s,m)=>r`<option value=${s.deviceId} ?selected=${s.deviceId===i}>${s.label||`${o} ${m+1}`}</option>`)}
		</select>
	</label>`}function I(a,t){return t.length===0?c:r`<div class="rings">${b(t,e=>e.id,e=>U(a,e))}</div>`}function U(a,t){let{words:e,calling:o,client:i}=a,n=t.media==="video",l=t.from.name||t.from.user,s=e.say(n?"incomingVideo":"incomingVoice",{name:l}),m=e.say(n?"videoRing":"voiceRing"),p=i?.calls.available;return r`<div class="ring" role="alertdialog" aria-label=${s} aria-describedby="ring-${t.id}">
		<div class="row">
			<span class="pulse">${$(L(a,t),"medium")}</span>
			<span class="summary">
				<span class="name"><bdi>${l}</bdi></span>
				<span class="detail" id="ring-${t.id}">${t.waiting?`${e.say("waiting")} · ${m}`:m}</span>
			</span>
			${t.silenced||t.waiting?c:r`<button class="button plain" aria-label=${e.say("silence")} title=${e.say("silence")} @click=${()=>i?.calls.silence(t.id)}>${d("bellOff")}</button>`}
		</div>
		${p&&!p.ok?r`<p class="no-calls">${e.say(p.reason==="calls_need_https"?"callsNeedHttps":"callsUnsupported")}</p>`:c}
		<div class="choices ${n?"video":""}">
			${p?.ok===!1?c:j(a,t,n)}
			<button class="button danger wide" @click=${()=>o.decline(t)}>${d("hangUp","filled")} ${e.say("decline")}</button>
		</div>
	</div>`}function j(a,t,e){let{words:o,calling:i}=a;return r`${e?r`<button class="button go wide first" @click=${()=>i.answer(t,!0)}>${d("video")} ${o.say("answerWithVideo")}</button>`:c}
		<button class="button ${e?"soft":"go"} wide" @click=${()=>i.answer(t,!1)}>${d("phone")} ${o.say("answer")}</button>`}function L(a,t){let e=a.client?.conversations.get(t.call.conversation),o=e&&a.people.faceOf(e);return o?.id===t.from.user?o:{id:t.from.user,name:t.from.name||t.from.user}}function E(a,t){if(t.kind==="pending")return H(a,a.words.say(t.status));if(t.kind!=="here")return c;let{view:e,leg:o}=t,i=e.others.filter(s=>e.call.state!=="active"||s.state==="joined"||s.state==="reconnecting"),n=i.length>0?i:e.others,l=n.some(s=>S(s,o));return r`<div class="stage ${l||o.preview?"video":"voice"}" role="group" aria-label=${a.words.say(e.call.media==="video"?"logVideo":"logVoice")} tabindex="-1">
			<div class="tiles" data-count=${n.length}>${b(n,s=>s.user,s=>N(a,e,o,s))}</div>
			<div class="caption">
				<span class="name"><bdi>${n.map(s=>s.name||s.user).join(", ")}</bdi></span>
				<span role="status" aria-live=${x(e)?"off":"polite"}>${T(e,performance.now(),a.words)}</span>
				${z(a,o)}
			</div>
			${o.preview?r`<video class="own" muted autoplay playsinline aria-label=${a.words.say("preview")} .srcObject=${v(o.preview)} .muted=${!0}></video>`:c}
			${o.problem?r`<p class="problem" role="alert">${h(o.problem.source,o.problem.reason,a.words)}</p>`:c}
			${P(a,e,o)}
		</div>
		${t.held.map(s=>W(a,s))}`}function H(a,t){let e=F(a);return r`<div class="stage voice" role="group" aria-label=${t} tabindex="-1">
		<div class="tiles" data-count="1"><div class="tile"><span class="pulse">${$(e,"huge")}</span></div></div>
		<div class="caption"><span class="name"><bdi>${e.name}</bdi></span><span role="status">${t}</span></div>
		<div class="controls">${f(a.words.say("hangUp"),"hangUp",()=>a.calling.cancel(),"danger filled")}</div>
	</div>`}function F(a){let{pending:t}=a.state;return t.kind==="answering"?{id:t.ring.from.user,name:t.ring.from.name}:a.people.face(t.kind==="starting"?t.ref:a.ref)}function N(a,t,e,o){let i=e.remotes.get(o.user),n=a.client?.conversations.get(t.call.conversation),l=n&&a.people.faceOf(n),s=l?.id===o.user?l:{id:o.user,name:o.name||o.user},m=S(o,e),p=t.phase==="calling"||t.phase==="ringing";return r`<div class="tile ${e.speaker===o.user?"speaks":""} ${o.state==="reconnecting"||o.held?"away":""}">
		${m?r`<video class="remote" muted autoplay playsinline aria-label=${o.name||o.user} .srcObject=${v(i?.camera)} .muted=${!0}></video>`:r`<span class=${p?"pulse":"level"}>${$(s,"huge")}</span>`}
		${o.state==="joined"&&!o.microphone?r`<span class="muted" role="img" aria-label=${a.words.say("mutedOther",{name:o.name||o.user})}>${d("micOff")}</span>`:c}
	</div>`}function S(a,t){return a.camera&&!a.held&&!t.held&&t.remotes.get(a.user)?.camera!==void 0}function P(a,t,e){let{words:o,calling:i,state:n}=a,l=n.panel.kind==="open"&&n.panel.devices;return r`<div class="controls">
		${f(o.say(e.microphone?"mute":"unmute"),e.microphone?"mic":"micOff",()=>i.do(e.setMicrophone(!e.microphone)),e.microphone?"":"off")}
		${f(o.say(e.camera?"cameraOff":"cameraOn"),e.camera?"video":"videoOff",()=>i.do(e.setCamera(!e.camera)),e.camera?"":"off")}
		${t.call.state==="active"?f(o.say(e.held?"resume":"hold"),e.held?"play":"pause",()=>i.do(e.setHeld(!e.held)),e.held?"off":""):c}
		${f(o.say("devices"),"sliders",()=>a.change({type:"devices"}),l?"on":"")}
		${f(o.say(n.large?"smaller":"larger"),n.large?"smaller":"larger",()=>a.change({type:"resize"}),"only-wide")}
		${f(o.say("hangUp"),"hangUp",()=>i.hangUp(t.id),"danger filled")}
	</div>`}function f(a,t,e,o=""){let i=o.includes("filled");return r`<button class="button control ${o}" aria-label=${a} title=${a} @click=${e}>${d(t,i?"filled":"")}</button>`}function z(a,t){let{stats:e}=t;return!e||e.loss<.08&&(e.rttMs??0)<600?c:r`<span class="weak">${d("signal")} ${a.words.say("weak")}</span>`}function W(a,t){let e=t.others.map(o=>o.name||o.user).join(", ");return r`<div class="call-bar"><div class="row">
		<span class="summary"><span class="name"><bdi>${e}</bdi></span><span class="detail">${a.words.say("onHold")}</span></span>
		<button class="button text" @click=${()=>a.calling.do(a.client?.calls.setHeld(t.id,!1))}>${a.words.say("resume")}</button>
		<button class="button danger" aria-label=${a.words.say("endCallWith",{name:e})} @click=${()=>a.calling.hangUp(t.id)}>${d("hangUp","filled")}</button>
	</div></div>`}export{O as Ringer,D as devicesClosed,A as devicesView,I as ringsView,E as stageView};
