import{d as O,f as h}from"./chunk-4XBPQ67X.js";import{b as r,d as c,f as d,l as x,m as v,o as V,p as $}from"./chunk-2BIC24NH.js";import{h as R,i as T}from"./chunk-VRPIJ66P.js";import"./chunk-3WK4PU2I.js";import"./chunk-Z23IDFYD.js";import"./chunk-SWRW2RAO.js";import"./chunk-ZUUAHXHP.js";import{c as C}from"./chunk-AO6LQEHP.js";var b=class{stream;problem;found=[];level=0;#t;#e;#o=new AbortController;#a;constructor(a,e){this.#t=a,this.#e=e}async use(a,e){this.#a?.abort();let t=new AbortController;this.#a=t;let i=AbortSignal.any([t.signal,this.#o.signal]);this.stream=this.problem=void 0,e&&await this.#s(a,i);let n=await this.#t.calls.devices().catch(()=>[]);i.aborted||(this.found=n,this.#e())}close(){this.#o.abort(),this.stream=void 0}async#s({microphone:a,camera:e},t){let i={...a&&{microphone:a},...e&&{camera:e}},n=l=>this.#t.calls.preview({...l,devices:i,signal:t});try{this.stream=await n({camera:!0,microphone:!0})}catch(l){if(t.aborted)return;l instanceof C&&(this.problem={source:l.source,reason:l.reason});let s=this.problem?.source==="camera"?{camera:!1,microphone:!0}:{camera:!0,microphone:!1};this.stream=await n(s).catch(()=>{})}!t.aborted&&this.stream?.getAudioTracks().length&&this.#n(this.stream,t),t.aborted||this.#e()}#n(a,e){let t=new AudioContext,i=new AnalyserNode(t,{fftSize:512});t.createMediaStreamSource(a).connect(i);let n=new Float32Array(i.fftSize),l=setInterval(()=>{i.getFloatTimeDomainData(n);let s=n.reduce((m,p)=>m+p*p,0)/n.length;this.level=Math.max(0,Math.min(1,(10*Math.log10(s+1e-9)+60)/50)),this.#e()},120);e.addEventListener("abort",()=>{clearInterval(l),t.close()})}};var g=new WeakMap;function A(o){let{client:a,words:e,calling:t}=o;if(!a)return c;let{screen:i}=t,n=i.kind==="here",l=g.get(o);l||(l=new b(a,()=>o.changed()),g.set(o,l),l.use(t.devices,!n));let s=l,m=u=>{t.choose(u),!n&&!("speaker"in u)&&s.use(t.devices,!0)},p=n?i.leg.preview:s.stream,k=p?.getVideoTracks().length?p:void 0,M="setSinkId"in HTMLMediaElement.prototype;return r`<div class="devices" role="group" aria-label=${e.say("deviceMenu")}>
		${n?c:r`<div class="mirror">
						${k?r`<video muted autoplay playsinline aria-label=${e.say("preview")} .srcObject=${v(k)} .muted=${!0}></video>`:r`<span>${d("videoOff","big")} ${e.say("previewOff")}</span>`}
					</div>
					<div class="meter" role="meter" aria-label=${e.say("level")} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(s.level*100)}>
						${d("mic")}<span>${Array.from({length:20},(u,y)=>r`<i class=${s.level*20>y?"lit":""}></i>`)}</span>
					</div>`}
		${s.problem?r`<p class="problem" role="alert">${h(s.problem.source,s.problem.reason,e)}</p>`:c}
		${w(o,s,"videoinput",e.say("camera"),t.devices.camera,u=>m({camera:u}))}
		${w(o,s,"audioinput",e.say("microphone"),t.devices.microphone,u=>m({microphone:u}))}
		${M?w(o,s,"audiooutput",e.say("speaker"),t.devices.speaker,(u,y)=>{m({speaker:u}),V(y.getRootNode(),u)}):c}
		<button class="button wide soft" @click=${()=>o.change({type:"devices"})}>${e.say("done")}</button>
	</div>`}function D(o){g.get(o)?.close(),g.delete(o)}function w(o,a,e,t,i,n){let l=a.found.filter(s=>s.kind===e&&s.deviceId&&s.deviceId!=="default");return r`<label class="choice">
		<span>${t}</span>
		<select @change=${s=>n(s.target.value,s.target)}>
			<option value="" ?selected=${!i}>${o.words.say("systemDefault")}</option>
			${l.map((s,m)=>r`<option value=${s.deviceId} ?selected=${s.deviceId===i}>${s.label||`${t} ${m+1}`}</option>`)}
		</select>
	</label>`}function I(o,a){let{words:e,calling:t,client:i}=o,n=a.media==="video",l=a.from.name||a.from.user,s=e.say(n?"incomingVideo":"incomingVoice",{name:l}),m=e.say(n?"videoRing":"voiceRing"),p=i?.calls.available;return r`<div class="ring" role="alertdialog" aria-label=${s} aria-describedby="ring-kind">
		<div class="row">
			<span class="pulse">${$(j(o,a),"medium")}</span>
			<span class="summary">
				<span class="name"><bdi>${l}</bdi></span>
				<span class="detail" id="ring-kind">${a.waiting?`${e.say("waiting")} · ${m}`:m}</span>
			</span>
			${a.silenced||a.waiting?c:r`<button class="button plain" aria-label=${e.say("silence")} title=${e.say("silence")} @click=${()=>i?.calls.silence(a.id)}>${d("bellOff")}</button>`}
		</div>
		${p&&!p.ok?r`<p class="no-calls">${e.say(p.reason==="calls_need_https"?"callsNeedHttps":"callsUnsupported")}</p>`:c}
		<div class="choices ${n?"video":""}">
			${p?.ok===!1?c:U(o,a,n)}
			<button class="button danger wide" @click=${()=>t.decline(a)}>${d("hangUp","filled")} ${e.say("decline")}</button>
		</div>
	</div>`}function U(o,a,e){let{words:t,calling:i}=o;return r`${e?r`<button class="button go wide first" @click=${()=>i.answer(a,!0)}>${d("video")} ${t.say("answerWithVideo")}</button>`:c}
		<button class="button ${e?"soft":"go"} wide" @click=${()=>i.answer(a,!1)}>${d("phone")} ${t.say("answer")}</button>`}function j(o,a){let e=o.client?.conversations.get(a.call.conversation),t=e&&o.people.faceOf(e);return t?.id===a.from.user?t:{id:a.from.user,name:a.from.name||a.from.user}}function L(o,a){if(a.kind==="pending")return E(o,o.words.say(a.status));if(a.kind!=="here")return c;let{view:e,leg:t}=a,i=e.others.filter(s=>e.call.state!=="active"||s.state==="joined"||s.state==="reconnecting"),n=i.length>0?i:e.others,l=n.some(s=>S(s,t));return r`<div class="stage ${l||t.preview?"video":"voice"}" role="group" aria-label=${o.words.say(e.call.media==="video"?"logVideo":"logVoice")} tabindex="-1">
			<div class="tiles" data-count=${n.length}>${x(n,s=>s.user,s=>F(o,e,t,s))}</div>
			<div class="caption">
				<span class="name"><bdi>${n.map(s=>s.name||s.user).join(", ")}</bdi></span>
				<span role="status" aria-live=${T(e)?"off":"polite"}>${R(e,performance.now(),o.words)}</span>
				${P(o,t)}
			</div>
			${t.preview?r`<video class="own" muted autoplay playsinline aria-label=${o.words.say("preview")} .srcObject=${v(t.preview)} .muted=${!0}></video>`:c}
			${t.problem?r`<p class="problem" role="alert">${h(t.problem.source,t.problem.reason,o.words)}</p>`:c}
			${N(o,e,t)}
		</div>
		${a.held.map(s=>z(o,s))}`}function E(o,a){let e=H(o);return r`<div class="stage voice" role="group" aria-label=${a} tabindex="-1">
		<div class="tiles" data-count="1"><div class="tile"><span class="pulse">${$(e,"huge")}</span></div></div>
		<div class="caption"><span class="name"><bdi>${e.name}</bdi></span><span role="status">${a}</span></div>
		<div class="controls">${f(o.words.say("hangUp"),"hangUp",()=>o.calling.cancel(),"danger filled")}</div>
	</div>`}function H(o){let{pending:a}=o.state;return a.kind==="answering"?{id:a.ring.from.user,name:a.ring.from.name}:o.people.face(a.kind==="starting"?a.ref:o.ref)}function F(o,a,e,t){let i=e.remotes.get(t.user),n=o.client?.conversations.get(a.call.conversation),l=n&&o.people.faceOf(n),s=l?.id===t.user?l:{id:t.user,name:t.name||t.user},m=S(t,e),p=a.phase==="calling"||a.phase==="ringing";return r`<div class="tile ${e.speaker===t.user?"speaks":""} ${t.state==="reconnecting"||t.held?"away":""}">
		${m?r`<video class="remote" muted autoplay playsinline aria-label=${t.name||t.user} .srcObject=${v(i?.camera)} .muted=${!0}></video>`:r`<span class=${p?"pulse":"level"}>${$(s,"huge")}</span>`}
		${t.state==="joined"&&!t.microphone?r`<span class="muted" role="img" aria-label=${o.words.say("mutedOther",{name:t.name||t.user})}>${d("micOff")}</span>`:c}
	</div>`}function S(o,a){return o.camera&&!o.held&&!a.held&&a.remotes.get(o.user)?.camera!==void 0}function N(o,a,e){let{words:t,calling:i,state:n}=o,l=n.panel.kind==="open"&&n.panel.devices;return r`<div class="controls">
		${f(t.say(e.microphone?"mute":"unmute"),e.microphone?"mic":"micOff",()=>i.do(e.setMicrophone(!e.microphone)),e.microphone?"":"off")}
		${f(t.say(e.camera?"cameraOff":"cameraOn"),e.camera?"video":"videoOff",()=>i.do(e.setCamera(!e.camera)),e.camera?"":"off")}
		${a.call.state==="active"?f(t.say(e.held?"resume":"hold"),e.held?"play":"pause",()=>i.do(e.setHeld(!e.held)),e.held?"off":""):c}
		${f(t.say("devices"),"sliders",()=>o.change({type:"devices"}),l?"on":"")}
		${f(t.say(n.large?"smaller":"larger"),n.large?"smaller":"larger",()=>o.change({type:"resize"}),"only-wide")}
		${f(t.say("hangUp"),"hangUp",()=>i.hangUp(a.id),"danger filled")}
	</div>`}function f(o,a,e,t=""){let i=t.includes("filled");return r`<button class="button control ${t}" aria-label=${o} title=${o} @click=${e}>${d(a,i?"filled":"")}</button>`}function P(o,a){let{stats:e}=a;return!e||e.loss<.08&&(e.rttMs??0)<600?c:r`<span class="weak">${d("signal")} ${o.words.say("weak")}</span>`}function z(o,a){let e=a.others.map(t=>t.name||t.user).join(", ");return r`<div class="call-bar"><div class="row">
		<span class="summary"><span class="name"><bdi>${e}</bdi></span><span class="detail">${o.words.say("onHold")}</span></span>
		<button class="button text" @click=${()=>o.calling.do(o.client?.calls.setHeld(a.id,!1))}>${o.words.say("resume")}</button>
		<button class="button danger" aria-label=${o.words.say("endCallWith",{name:e})} @click=${()=>o.calling.hangUp(a.id)}>${d("hangUp","filled")}</button>
	</div></div>`}export{O as Ringer,D as devicesClosed,A as devicesView,I as ringView,L as stageView};
