import{e as T,g as I,i as V}from"./chunk-NJKHV622.js";import{b as r,d,f as u,l as y,m as $,p as D,q as g,r as M,s as h}from"./chunk-A6Z7IRB2.js";import{h as v,i as S,j as A,k as C}from"./chunk-OSARB2LB.js";import"./chunk-KMUGCTAM.js";import"./chunk-LK2WQULP.js";import"./chunk-FKJG5VM7.js";import{j as x}from"./chunk-DCWMTRRS.js";import"./chunk-GJJWH3U2.js";var b=class{stream;problem;found=[];level=0;#t;#e;#i=new AbortController;#a;constructor(s,a){this.#t=s,this.#e=a}async use(s,a){this.#a?.abort();let i=new AbortController;this.#a=i;let t=AbortSignal.any([i.signal,this.#i.signal]);this.stream=this.problem=void 0,a&&await this.#s(s,t);let o=await this.#t.calls.devices().catch(()=>[]);t.aborted||(this.found=o,this.#e())}close(){this.#i.abort(),this.stream=void 0}async#s(s,a){let i=T(s),t=o=>this.#t.calls.preview({...o,devices:i,signal:a});try{this.stream=await t({camera:!0,microphone:!0})}catch(o){if(a.aborted)return;o instanceof x&&(this.problem={source:o.source,reason:o.reason});let l=this.problem?.source==="camera"?{camera:!1,microphone:!0}:{camera:!0,microphone:!1};this.stream=await t(l).catch(()=>{})}!a.aborted&&this.stream?.getAudioTracks().length&&this.#o(this.stream,a),a.aborted||this.#e()}#o(s,a){let i=new AudioContext,t=new AnalyserNode(i,{fftSize:512});i.createMediaStreamSource(s).connect(t);let o=new Float32Array(t.fftSize),l=setInterval(()=>{t.getFloatTimeDomainData(o);let n=o.reduce((c,m)=>c+m*m,0)/o.length;this.level=Math.max(0,Math.min(1,(10*Math.log10(n+1e-9)+60)/50)),this.#e()},120);a.addEventListener("abort",()=>{clearInterval(l),i.close()})}};function k(e,s,a){let{inCall:i,picture:t,level:o,problem:l,chosen:n}=s,c="setSinkId"in HTMLMediaElement.prototype;return r`<div class="devices ${i?"compact":""}" role="group" aria-label=${e.say("deviceMenu")}>
		${i?d:r`<div class="mirror">
						${t?r`<video muted autoplay playsinline aria-label=${e.say("preview")} .srcObject=${$(t)} .muted=${!0}></video>`:r`<span>${u("videoOff","big")} ${e.say("previewOff")}</span>`}
					</div>
					<div class="meter" role="meter" aria-label=${e.say("level")} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(o*100)}>
						${u("mic")}<span>${Array.from({length:20},(m,p)=>r`<i class=${o*20>p?"lit":""}></i>`)}</span>
					</div>`}
		${l?r`<p class="problem" role="alert">${V(l.source,l.reason,e)}</p>`:d}
		${w(e,s,"videoinput",e.say("camera"),n.camera,m=>a.chooseDevices({camera:m}))}
		${w(e,s,"audioinput",e.say("microphone"),n.microphone,m=>a.chooseDevices({microphone:m}))}
		${c?w(e,s,"audiooutput",e.say("speaker"),n.speaker,(m,p)=>{a.chooseDevices({speaker:m}),D(p.getRootNode(),m)}):d}
		<button class="button wide soft" @click=${()=>a.toggleDevices()}>${e.say("done")}</button>
	</div>`}function w(e,s,a,i,t,o){let l=s.found.filter(n=>n.kind===a&&n.deviceId&&n.deviceId!=="default");return r`<label class="choice">
		<span>${i}</span>
		<select @change=${n=>o(n.target.value,n.target)}>
			<option value="" ?selected=${!t}>${e.say("systemDefault")}</option>
			${l.map((n,c)=>r`<option value=${n.deviceId} ?selected=${n.deviceId===t}>${n.label||`${i} ${c+1}`}</option>`)}
		</select>
	</label>`}function W(e,s){let{rings:a}=e;return a.length===0?d:r`<div class="rings">${y(a,({ring:i})=>i.id,i=>L(e,i,s))}</div>`}function L(e,s,a){let{ring:i,impossible:t,problem:o,holds:l}=s,{words:n}=e,c=i.media==="video",m=e.faces.get(i.from.user)??{id:i.from.user,name:i.from.user},p=n.say(c?"incomingVideo":"incomingVoice",{name:v(i.from,n)}),R=n.say(c?"videoRing":"voiceRing");return r`<div class="ring" role="alertdialog" aria-label=${p} aria-describedby="ring-${i.id}">
		<div class="row">
			<span class="pulse">${g(m,"medium")}</span>
			<span class="summary">
				${h(n,[i.from])}
				<span class="detail" id="ring-${i.id}">${i.waiting?`${n.say("waiting")} · ${R}`:R}</span>
			</span>
			${i.silenced||i.waiting?d:r`<button class="button plain" aria-label=${n.say("silence")} title=${n.say("silence")} @click=${()=>a.silence(i.id)}>${u("bellOff")}</button>`}
		</div>
		${t?r`<p class="no-calls">${n.say(t)}</p>`:d}
		${l&&!t?r`<p class="note">${n.say("answerHolds",{name:l})}</p>`:d}
		${o?r`<p class="problem" role="alert">${o.text}</p>`:d}
		<div class="choices">
			${t?d:U(e,s,a)}
			<button class="button danger wide" @click=${()=>a.decline(i.id)}>${u("hangUp","filled")} ${n.say("decline")}</button>
		</div>
	</div>`}function U({words:e},{ring:s,problem:a},i){let t=s.media==="video",o=(l,n,c,m,p=!0)=>r`<button class="button wide ${c}" @click=${()=>i.answer(s.id,{camera:m,microphone:p})}>${u(n)} ${e.say(l)}</button>`;return r`
		${a?.microphone?o("answerMuted","micOff","go first",!1,!1):d}
		${t?o("answerWithVideo","video",a?"soft first":"go first",!0):d}
		${o("answer","phone",t||a?"soft":"go",!1)}
	`}function E(e,s,a){let{call:i,words:t}=e;if(i.kind==="pending")return H(t,t.say(i.status),e.faces.get(i.user??"")??s.face,a);if(i.kind!=="here")return d;let{view:o,leg:l}=i,n=o.others.filter(p=>o.call.state!=="active"||p.state==="joined"||p.state==="reconnecting"),c=n.length>0?n:o.others,m=c.some(p=>O(p,l));return r`<div class="stage ${m||l.preview?"video":"voice"}" role="group" aria-label=${t.say(o.call.media==="video"?"logVideo":"logVoice")} tabindex="-1">
			<div class="tiles" data-count=${c.length}>${y(c,p=>p.user,p=>N(e,o,l,p))}</div>
			<div class="caption">
				${h(t,c)}
				<span role="status" aria-live=${C(o)?"off":"polite"}>${A(o,e.clock,t)}</span>
				${j(t,l)}
			</div>
			${l.preview?r`<video class="own" muted autoplay playsinline aria-label=${t.say("preview")} .srcObject=${$(l.preview)} .muted=${!0}></video>`:d}
			${P(t,s,o,l,a)}
			${s.devices?k(t,s.devices,a):d}
		</div>
		${i.held.map(p=>F(t,p,a))}`}function H(e,s,a,i){return r`<div class="stage voice" role="group" aria-label=${s} tabindex="-1">
		<div class="tiles" data-count="1"><div class="tile"><span class="pulse">${g(a,"huge")}</span></div></div>
		<div class="caption">${M(e,a)}<span role="status">${s}</span></div>
		<div class="controls">${f(e.say("hangUp"),"hangUp",()=>i.cancel(),"danger filled")}</div>
	</div>`}function N({words:e,faces:s},a,i,t){let o=i.remotes.get(t.user),l=s.get(t.user)??{id:t.user,name:t.name||t.user},n=O(t,i),c=a.phase==="calling"||a.phase==="ringing";return r`<div class="tile ${i.speaker===t.user?"speaks":""} ${t.state==="reconnecting"||t.held?"away":""}">
		${n?r`<video class="remote" muted autoplay playsinline aria-label=${v(t,e)} .srcObject=${$(o?.camera)} .muted=${!0}></video>`:r`<span class=${c?"pulse":"level"}>${g(l,"huge")}</span>`}
		${t.state==="joined"&&!t.microphone?r`<span class="muted" role="img" aria-label=${e.say("mutedOther",{name:v(t,e)})}>${u("micOff")}</span>`:d}
	</div>`}function O(e,s){return e.camera&&!e.held&&!s.held&&s.remotes.get(e.user)?.camera!==void 0}function P(e,s,a,i,t){let{microphone:o,camera:l,held:n}=i,{large:c,devices:m}=s;return r`<div class="controls">
		${f(e.say(o?"mute":"unmute"),o?"mic":"micOff",()=>t.setMicrophone(a.id,!o),o?"":"off")}
		${f(e.say(l?"cameraOff":"cameraOn"),l?"video":"videoOff",()=>t.setCamera(a.id,!l),l?"":"off")}
		${a.call.state==="active"?f(e.say(n?"resume":"hold"),n?"play":"pause",()=>t.setHeld(a.id,!n),n?"off":""):d}
		${f(e.say("devices"),"sliders",()=>t.toggleDevices(),m?"on":"")}
		${f(e.say(c?"smaller":"larger"),c?"smaller":"larger",()=>t.toggleSize(),"only-wide")}
		${f(e.say("hangUp"),"hangUp",()=>t.hangUp(a.id),"danger filled")}
	</div>`}function f(e,s,a,i=""){let t=i.includes("filled");return r`<button class="button control ${i}" aria-label=${e} title=${e} @click=${a}>${u(s,t?"filled":"")}</button>`}function j(e,{stats:s}){return!s||s.loss<.08&&(s.rttMs??0)<600?d:r`<span class="weak">${u("signal")} ${e.say("weak")}</span>`}function F(e,s,a){let i=S(s.others,e);return r`<div class="call-bar"><div class="row">
		<span class="summary">${h(e,s.others)}<span class="detail">${e.say("onHold")}</span></span>
		<button class="button text" @click=${()=>a.setHeld(s.id,!1)}>${e.say("resume")}</button>
		<button class="button danger" aria-label=${e.say("endCallWith",{name:i})} @click=${()=>a.hangUp(s.id)}>${u("hangUp","filled")}</button>
	</div></div>`}export{b as Preview,I as Ringer,k as devicesView,W as ringsView,E as stageView};
