import{e as C,g as O}from"./chunk-JTS4CDGB.js";import{b as r,d,f as u,l as h,m as $,p as D,q as g}from"./chunk-UVNKJN3Z.js";import{h as v,i as b,j as S,k as A,p as T}from"./chunk-SAXY4KKP.js";import"./chunk-WRMIR4VL.js";import"./chunk-QCGKDLAE.js";import"./chunk-FKJG5VM7.js";import{j as x}from"./chunk-DCWMTRRS.js";import"./chunk-GJJWH3U2.js";var y=class{stream;problem;found=[];level=0;#t;#e;#a=new AbortController;#i;constructor(s,i){this.#t=s,this.#e=i}async use(s,i){this.#i?.abort();let t=new AbortController;this.#i=t;let e=AbortSignal.any([t.signal,this.#a.signal]);this.stream=this.problem=void 0,i&&await this.#s(s,e);let o=await this.#t.calls.devices().catch(()=>[]);e.aborted||(this.found=o,this.#e())}close(){this.#a.abort(),this.stream=void 0}async#s(s,i){let t=C(s),e=o=>this.#t.calls.preview({...o,devices:t,signal:i});try{this.stream=await e({camera:!0,microphone:!0})}catch(o){if(i.aborted)return;o instanceof x&&(this.problem={source:o.source,reason:o.reason});let l=this.problem?.source==="camera"?{camera:!1,microphone:!0}:{camera:!0,microphone:!1};this.stream=await e(l).catch(()=>{})}!i.aborted&&this.stream?.getAudioTracks().length&&this.#o(this.stream,i),i.aborted||this.#e()}#o(s,i){let t=new AudioContext,e=new AnalyserNode(t,{fftSize:512});t.createMediaStreamSource(s).connect(e);let o=new Float32Array(e.fftSize),l=setInterval(()=>{e.getFloatTimeDomainData(o);let n=o.reduce((c,p)=>c+p*p,0)/o.length;this.level=Math.max(0,Math.min(1,(10*Math.log10(n+1e-9)+60)/50)),this.#e()},120);i.addEventListener("abort",()=>{clearInterval(l),t.close()})}};function k(a,s,i){let{inCall:t,picture:e,level:o,problem:l,chosen:n}=s,c="setSinkId"in HTMLMediaElement.prototype;return r`<div class="devices ${t?"compact":""}" role="group" aria-label=${a.say("deviceMenu")}>
		${t?d:r`<div class="mirror">
						${e?r`<video muted autoplay playsinline aria-label=${a.say("preview")} .srcObject=${$(e)} .muted=${!0}></video>`:r`<span>${u("videoOff","big")} ${a.say("previewOff")}</span>`}
					</div>
					<div class="meter" role="meter" aria-label=${a.say("level")} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(o*100)}>
						${u("mic")}<span>${Array.from({length:20},(p,m)=>r`<i class=${o*20>m?"lit":""}></i>`)}</span>
					</div>`}
		${l?r`<p class="problem" role="alert">${T(l.source,l.reason,a)}</p>`:d}
		${w(a,s,"videoinput",a.say("camera"),n.camera,p=>i.chooseDevices({camera:p}))}
		${w(a,s,"audioinput",a.say("microphone"),n.microphone,p=>i.chooseDevices({microphone:p}))}
		${c?w(a,s,"audiooutput",a.say("speaker"),n.speaker,(p,m)=>{i.chooseDevices({speaker:p}),D(m.getRootNode(),p)}):d}
		<button class="button wide soft" @click=${()=>i.toggleDevices()}>${a.say("done")}</button>
	</div>`}function w(a,s,i,t,e,o){let l=s.found.filter(n=>n.kind===i&&n.deviceId&&n.deviceId!=="default");return r`<label class="choice">
		<span>${t}</span>
		<select @change=${n=>o(n.target.value,n.target)}>
			<option value="" ?selected=${!e}>${a.say("systemDefault")}</option>
			${l.map((n,c)=>r`<option value=${n.deviceId} ?selected=${n.deviceId===e}>${n.label||`${t} ${c+1}`}</option>`)}
		</select>
	</label>`}function I(a,s){let{rings:i}=a;return i.length===0?d:r`<div class="rings">${h(i,({ring:t})=>t.id,t=>W(a,t,s))}</div>`}function W(a,s,i){let{ring:t,impossible:e,problem:o,holds:l}=s,{words:n}=a,c=t.media==="video",p=a.faces.get(t.from.user)??{id:t.from.user,name:t.from.user},m=v(t.from),V=n.say(c?"incomingVideo":"incomingVoice",{name:m}),R=n.say(c?"videoRing":"voiceRing");return r`<div class="ring" role="alertdialog" aria-label=${V} aria-describedby="ring-${t.id}">
		<div class="row">
			<span class="pulse">${g(p,"medium")}</span>
			<span class="summary">
				<span class="name"><bdi>${m}</bdi></span>
				<span class="detail" id="ring-${t.id}">${t.waiting?`${n.say("waiting")} · ${R}`:R}</span>
			</span>
			${t.silenced||t.waiting?d:r`<button class="button plain" aria-label=${n.say("silence")} title=${n.say("silence")} @click=${()=>i.silence(t.id)}>${u("bellOff")}</button>`}
		</div>
		${e?r`<p class="no-calls">${n.say(e)}</p>`:d}
		${l&&!e?r`<p class="note">${n.say("answerHolds",{name:l})}</p>`:d}
		${o?r`<p class="problem" role="alert">${o.text}</p>`:d}
		<div class="choices">
			${e?d:L(a,s,i)}
			<button class="button danger wide" @click=${()=>i.decline(t.id)}>${u("hangUp","filled")} ${n.say("decline")}</button>
		</div>
	</div>`}function L({words:a},{ring:s,problem:i},t){let e=s.media==="video",o=(l,n,c,p,m=!0)=>r`<button class="button wide ${c}" @click=${()=>t.answer(s.id,{camera:p,microphone:m})}>${u(n)} ${a.say(l)}</button>`;return r`
		${i?.microphone?o("answerMuted","micOff","go first",!1,!1):d}
		${e?o("answerWithVideo","video",i?"soft first":"go first",!0):d}
		${o("answer","phone",e||i?"soft":"go",!1)}
	`}function U(a,s,i){let{call:t,words:e}=a;if(t.kind==="pending")return E(e,e.say(t.status),a.faces.get(t.user??"")??s.face,i);if(t.kind!=="here")return d;let{view:o,leg:l}=t,n=o.others.filter(m=>o.call.state!=="active"||m.state==="joined"||m.state==="reconnecting"),c=n.length>0?n:o.others,p=c.some(m=>M(m,l));return r`<div class="stage ${p||l.preview?"video":"voice"}" role="group" aria-label=${e.say(o.call.media==="video"?"logVideo":"logVoice")} tabindex="-1">
			<div class="tiles" data-count=${c.length}>${h(c,m=>m.user,m=>H(a,o,l,m))}</div>
			<div class="caption">
				<span class="name"><bdi>${b(c)}</bdi></span>
				<span role="status" aria-live=${A(o)?"off":"polite"}>${S(o,a.clock,e)}</span>
				${P(e,l)}
			</div>
			${l.preview?r`<video class="own" muted autoplay playsinline aria-label=${e.say("preview")} .srcObject=${$(l.preview)} .muted=${!0}></video>`:d}
			${N(e,s,o,l,i)}
			${s.devices?k(e,s.devices,i):d}
		</div>
		${t.held.map(m=>j(e,m,i))}`}function E(a,s,i,t){return r`<div class="stage voice" role="group" aria-label=${s} tabindex="-1">
		<div class="tiles" data-count="1"><div class="tile"><span class="pulse">${g(i,"huge")}</span></div></div>
		<div class="caption"><span class="name"><bdi>${i.name}</bdi></span><span role="status">${s}</span></div>
		<div class="controls">${f(a.say("hangUp"),"hangUp",()=>t.cancel(),"danger filled")}</div>
	</div>`}function H({words:a,faces:s},i,t,e){let o=t.remotes.get(e.user),l=s.get(e.user)??{id:e.user,name:v(e)},n=M(e,t),c=i.phase==="calling"||i.phase==="ringing";return r`<div class="tile ${t.speaker===e.user?"speaks":""} ${e.state==="reconnecting"||e.held?"away":""}">
		${n?r`<video class="remote" muted autoplay playsinline aria-label=${v(e)} .srcObject=${$(o?.camera)} .muted=${!0}></video>`:r`<span class=${c?"pulse":"level"}>${g(l,"huge")}</span>`}
		${e.state==="joined"&&!e.microphone?r`<span class="muted" role="img" aria-label=${a.say("mutedOther",{name:v(e)})}>${u("micOff")}</span>`:d}
	</div>`}function M(a,s){return a.camera&&!a.held&&!s.held&&s.remotes.get(a.user)?.camera!==void 0}function N(a,s,i,t,e){let{microphone:o,camera:l,held:n}=t,{large:c,devices:p}=s;return r`<div class="controls">
		${f(a.say(o?"mute":"unmute"),o?"mic":"micOff",()=>e.setMicrophone(i.id,!o),o?"":"off")}
		${f(a.say(l?"cameraOff":"cameraOn"),l?"video":"videoOff",()=>e.setCamera(i.id,!l),l?"":"off")}
		${i.call.state==="active"?f(a.say(n?"resume":"hold"),n?"play":"pause",()=>e.setHeld(i.id,!n),n?"off":""):d}
		${f(a.say("devices"),"sliders",()=>e.toggleDevices(),p?"on":"")}
		${f(a.say(c?"smaller":"larger"),c?"smaller":"larger",()=>e.toggleSize(),"only-wide")}
		${f(a.say("hangUp"),"hangUp",()=>e.hangUp(i.id),"danger filled")}
	</div>`}function f(a,s,i,t=""){let e=t.includes("filled");return r`<button class="button control ${t}" aria-label=${a} title=${a} @click=${i}>${u(s,e?"filled":"")}</button>`}function P(a,{stats:s}){return!s||s.loss<.08&&(s.rttMs??0)<600?d:r`<span class="weak">${u("signal")} ${a.say("weak")}</span>`}function j(a,s,i){let t=b(s.others);return r`<div class="call-bar"><div class="row">
		<span class="summary"><span class="name"><bdi>${t}</bdi></span><span class="detail">${a.say("onHold")}</span></span>
		<button class="button text" @click=${()=>i.setHeld(s.id,!1)}>${a.say("resume")}</button>
		<button class="button danger" aria-label=${a.say("endCallWith",{name:t})} @click=${()=>i.hangUp(s.id)}>${u("hangUp","filled")}</button>
	</div></div>`}export{y as Preview,O as Ringer,k as devicesView,I as ringsView,U as stageView};
