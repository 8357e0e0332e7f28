import{c as a,d as b,e as c,f as d}from"./chunk-B736YXX2.js";import"./chunk-J2QFNARE.js";export{c as notify,b as playSound,d as sleep,a as tellMessage};
