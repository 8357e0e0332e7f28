import{a as d}from"./chunk-DMB62U6O.js";import{a,b,c}from"./chunk-PVCLTVY2.js";export{c as DeviceError,a as Refusal,b as Unanswered,d as createClient};
