import{a as d}from"./chunk-NNVE3ZOJ.js";import{a,b,c}from"./chunk-PVCLTVY2.js";export{c as DeviceError,a as Refusal,b as Unanswered,d as createClient};
