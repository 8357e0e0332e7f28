import{a,b}from"./chunk-GJJWH3U2.js";export{b as loop,a as play};
