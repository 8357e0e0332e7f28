import{a,b}from"./chunk-XZLEORBG.js";export{b as loop,a as play};
