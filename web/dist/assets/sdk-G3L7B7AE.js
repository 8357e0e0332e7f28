import{a as d}from"./chunk-TGBEAD3A.js";import{a,b,c}from"./chunk-PVCLTVY2.js";export{c as DeviceError,a as Refusal,b as Unanswered,d as createClient};
