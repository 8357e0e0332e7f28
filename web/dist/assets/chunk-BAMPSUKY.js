import{a,b}from"./chunk-SWRW2RAO.js";export{b as loop,a as play};
