import{a,b}from"./chunk-XVUR7YYF.js";export{b as loop,a as play};
