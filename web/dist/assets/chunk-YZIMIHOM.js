import{c as a,d as b,e as c,f as d}from"./chunk-5PXZWKXN.js";export{c as notify,b as playSound,d as sleep,a as tellMessage};
