function l({gone:e,kind:n,text:t="",data:r},s){if(e)return{text:s.say(e==="removed"?"removedMessage":"recalledMessage"),standIn:!0};let i=(n==="rich"?[...a(r),t]:[t]).filter(o=>o!=="").join(`
`);return i===""&&n!=="text"?{text:s.say("unknownMessage"),standIn:!0}:{text:i,standIn:!1}}function a(e){let{title:n="",fields:t=[]}=e??{};return[n,...t.map(({name:r,value:s})=>`${r}: ${s}`)]}export{l as a};
